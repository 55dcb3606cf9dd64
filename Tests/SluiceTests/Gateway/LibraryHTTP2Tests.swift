import SluiceIO
import Synchronization
import Testing

@testable import Sluice

/// A program's handler whose clients speak HTTP/2.
@Suite struct LibraryHTTP2Tests {
    /// A connection with one request.
    private final class Visitor {
        let socket: Socket
        let http2: HTTP2Client
        private var unsent: [UInt8] = []

        init(_ gateway: RunningGateway, _ http2: HTTP2Client) throws {
            socket = try Socket.connecting(to: .ip(.loopbackV4, port: UInt16(gateway.port)))
            self.http2 = http2
        }

        var status: String {
            let line = String(decoding: http2.seen.head, as: UTF8.self).split(separator: "\r\n").first
            return line.map { String($0.dropFirst(":status: ".count)) } ?? ""
        }
        var body: String { String(decoding: http2.seen.body, as: UTF8.self) }

        /// Talks until the condition holds; that it never does is what only a broken test meets.
        func talk(until isDone: () -> Bool) async throws {
            let start = ContinuousClock.now
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while !isDone() {
                unsent += http2.output()
                let outcome = unsafe unsent.withUnsafeBytes { unsafe socket.write($0) }
                if case .bytes(let count) = outcome { unsent.removeFirst(count) }
                if case .bytes(let count) = unsafe buffer.withUnsafeMutableBytes({ unsafe socket.read(into: $0) }) {
                    #expect(http2.receive(Array(buffer[..<count])))
                }
                try #require(ContinuousClock.now - start < .seconds(60))
                await Task.yield()
            }
        }

        func talkToTheEnd() async throws { try await talk { http2.seen.hasEnded } }
    }

    private func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.listeners = [ListenerOptions("127.0.0.1:0")]
        configuration.listeners[0].h2c = true
        return configuration
    }

    @Test func `a handler serves text and event streams`() async throws {
        try await withGateway(configuration()) { request in
            guard request.method == .post else { return .text("ok") }
            return .eventStream { stream in
                try await stream.comment("hi")
                try await stream.send(ServerSentEvent("hello", id: "1"))
            }
        } _: { gateway in
            let plain = try Visitor(gateway, HTTP2Client())
            try await plain.talkToTheEnd()
            #expect(plain.status == "200")
            #expect(plain.body == "ok")
            let client = try HTTP2Client(hasBody: true)
            client.send([], isLast: true)
            let streaming = try Visitor(gateway, client)
            try await streaming.talkToTheEnd()
            #expect(streaming.body.hasSuffix(": hi\ndata: hello\nid: 1\n\n"))
        }
    }

    @Test func `a body that nobody asked for waits at its client, a window of it here`() async throws {
        let (asks, ask) = AsyncStream.makeStream(of: Void.self)
        try await withGateway(configuration()) { request in
            .eventStream { stream in
                try await stream.comment("before the body")
                for await _ in asks { break }
                let body = try await stream.request.body(upTo: 1 << 20)
                try await stream.send(ServerSentEvent("\(body.count)"))
            }
        } _: { gateway in
            let client = try HTTP2Client(hasBody: true)
            client.send([UInt8](repeating: 0x78, count: 300_000), isLast: true)
            let visitor = try Visitor(gateway, client)
            try await visitor.talk { visitor.body.contains("before the body") && client.seen.sending.count < 300_000 }
            let waiting = client.seen.sending.count
            #expect(waiting >= 300_000 - 65_535)
            ask.yield()
            try await visitor.talkToTheEnd()
            #expect(visitor.body.contains("data: 300000\n"))
        }
    }

    @Test func `a body over its limit is refused, whatever of it is still to come`() async throws {
        try await withGateway(configuration()) { request in
            do {
                return .text("\(try await request.body(upTo: 10).count)")
            } catch {
                let isTooLarge = (error as? SluiceError)?.kind == .bodyTooLarge
                return .text("\(error)", status: isTooLarge ? .contentTooLarge : .badRequest)
            }
        } _: { gateway in
            for (count, isLast, status) in [(10, true, "200"), (11, true, "413"), (50_000, false, "413")] {
                let client = try HTTP2Client(hasBody: true)
                client.send([UInt8](repeating: 0x78, count: count), isLast: isLast)
                let visitor = try Visitor(gateway, client)
                try await visitor.talkToTheEnd()
                #expect(visitor.status == status)
            }
        }
    }

    @Test func `a sender waits for a window and loses nothing`() async throws {
        let sent = Atomic<Int>(0)
        try await withGateway(configuration()) { _ in
            .eventStream(bufferLimit: 10_000) { stream in
                for number in 0..<200 {
                    try await stream.send(ServerSentEvent("\(number) " + String(repeating: "x", count: 1000)))
                    sent.store(number + 1, ordering: .relaxed)
                }
            }
        } _: { gateway in
            let visitor = try Visitor(gateway, HTTP2Client(window: 3000, givesWindow: false))
            try await visitor.talk { visitor.http2.seen.body.count == 3000 }
            #expect(sent.load(ordering: .relaxed) < 100)
            visitor.http2.giveWindow(0, 1 << 20)
            visitor.http2.giveWindow(1, 1 << 20)
            try await visitor.talkToTheEnd()
            let numbers = visitor.body.split(separator: "\n\n").compactMap { event in
                event.split(separator: "data: ").last.flatMap { Int($0.prefix { $0 != " " }) }
            }
            #expect(numbers == Array(0..<200))
        }
    }

    @Test func `a stream that its client resets ends the handler's, and the connection stays`() async throws {
        let (endings, ending) = AsyncStream.makeStream(of: Void.self)
        try await withGateway(configuration()) { _ in
            .eventStream { stream in
                for await tick in stream.ticks(every: .milliseconds(1)) { stream.yield(ServerSentEvent("\(tick)")) }
                ending.yield()
            }
        } _: { gateway in
            let visitor = try Visitor(gateway, HTTP2Client())
            try await visitor.talk { visitor.body.contains("data: ") }
            visitor.http2.resetStream()
            var turns = 0
            try await visitor.talk {
                turns += 1
                return turns > 1
            }
            for await _ in endings { break }
            var held = await gateway.gateway.occupancy().1
            while held.ticks != 0 { held = await gateway.gateway.occupancy().1 }
            #expect(held.connections == 1)
        }
    }
}
