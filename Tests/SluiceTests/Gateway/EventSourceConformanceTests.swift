import SluiceTestSupport
import Testing

@testable import Sluice

/// The tables of Tests/Conformance, from a server's bytes to what an `EventSource` gives.
@Suite(.timeLimit(.minutes(2))) struct EventSourceConformanceTests {
    @Test(arguments: try Conformance.streams())
    func `a stream gives its events, however it is cut`(_ stream: Conformance.Stream) async throws {
        for size in [0, 1, 2, 3, 7] {
            let server = try RawServer()
            // Only a restart connects again: some of these streams ask for long times.
            let source = try server.source {
                $0.retry.initial = .seconds(3600)
                $0.retry.maximum = .seconds(3600)
            }
            let connection = try await server.accept()
            try await connection.stream(fields: "Transfer-Encoding: chunked\r\n")
            // Each piece is a chunk, so that the parser gets it as it is.
            var body: [UInt8] = []
            for piece in stream.pieces(of: size) where !piece.isEmpty {
                body += Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + [0x0D, 0x0A]
            }
            try await connection.send(body + Array("0\r\n\r\n".utf8))

            var events: [Conformance.Event] = []
            var retries: [UInt64] = []
            for await item in source.items {
                switch item {
                case .event(let event):
                    events.append(Conformance.Event(event.data, type: event.type, id: event.lastEventID))
                case .retry(let time): retries.append(time.milliseconds)
                case .opened, .comment: continue
                case .notice, .error: #expect(item.error?.kind == .ended)
                }
                if item.error != nil { break }
            }
            #expect(events == stream.events, "in pieces of \(size)")
            #expect(retries == stream.retries, "in pieces of \(size)")
            guard let last = stream.last else { continue }
            source.restart()
            let head = try await server.accept().read(through: "\r\n\r\n")
            let sent = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("last-event-id: ") }
            #expect(sent.map { String($0.dropFirst(15)) } ?? "" == last, "in pieces of \(size)")
        }
    }

    @Test(arguments: try Conformance.answers())
    func `an answer is a stream, or the reason why there is none`(_ answer: Conformance.Answer) async throws {
        let server = try RawServer()
        let source = try server.source { $0.retry.refused = .seconds(100) }
        let connection = try await server.accept()
        try await connection.send(answer.bytes)
        var items = source.items.makeAsyncIterator()
        var item = await items.next()
        if ["stream", "ended"].contains(answer.then) {
            #expect(item?.isOpened == true)
            if answer.then == "stream" { try await connection.send("data: x\n\n") }
            item = await items.next()
        }
        guard answer.then != "stream" else { return #expect(item == .event(ReceivedEvent("x"))) }
        let error = try #require(item?.error)
        #expect("\(error.kind.fault)" == answer.then)
        switch error.kind {
        case .stopped: #expect(error.retryAfter == nil)
        case .refused: #expect(error.retryAfter.map { $0 >= .seconds(50) && $0 <= .seconds(100) } == true)
        default:
            #expect(error.retryAfter.map { $0 <= .milliseconds(5) } == true)
            _ = try await server.accept()
        }
    }
}
