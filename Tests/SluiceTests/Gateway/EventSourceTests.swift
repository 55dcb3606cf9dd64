import SluiceIO
import SluiceTestSupport
import Testing

@testable import Sluice

/// An `EventSource` against a server that the test plays by hand.
@Suite(.timeLimit(.minutes(2))) struct EventSourceTests {
    @Test func `it asks as a browser does, and then with the id that was dispatched last`() async throws {
        let server = try RawServer()
        let source = try server.source()
        var items = source.items.makeAsyncIterator()

        var connection = try await server.accept()
        var head = try await connection.read(through: "\r\n\r\n")
        #expect(head.hasPrefix("GET /feed HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\n"))
        #expect(head.contains("\r\nAccept: text/event-stream\r\n"))
        #expect(head.contains("\r\nCache-Control: no-cache\r\n"))
        #expect(!head.lowercased().contains("last-event-id"))
        #expect(source.readyState == .connecting)

        try await connection.stream("id: …é 1\ndata: one\n\ndata: two\n\nid: unfinished\ndata: three")
        #expect(await items.next()?.isOpened == true)
        #expect(await items.next() == .event(ReceivedEvent("one", lastEventID: "…é 1")))
        #expect(source.readyState == .open)
        #expect(await items.next() == .event(ReceivedEvent("two", lastEventID: "…é 1")))
        try await connection.finishSending()
        #expect(await items.next()?.error?.kind == .ended)

        connection = try await server.accept()
        head = try await connection.read(through: "\r\n\r\n")
        #expect(head.contains("\r\nLast-Event-ID: …é 1\r\n"))
        // An emptied id is not sent again.
        try await connection.stream("id\n\ndata: three\n\n")
        #expect(await items.next()?.isOpened == true)
        #expect(await items.next() == .event(ReceivedEvent("three")))
        try await connection.finishSending()

        connection = try await server.accept()
        #expect(!(try await connection.read(through: "\r\n\r\n")).lowercased().contains("last-event-id"))
    }

    @Test(arguments: ["POST", "REPORT"])
    func `method, body, fields and a first id are sent, again with each connection`(method: String) async throws {
        let server = try RawServer()
        let source = try server.source {
            $0.method = .init(method) ?? .get
            $0.body = Array(#"{"hello":"wörld"}"#.utf8)
            $0.headers[.contentType] = "application/json"
            $0.headers[.accept] = "text/event-stream, text/plain"
            $0.headers[.connection] = "elsewhere"
            $0.lastEventID = "from before"
        }
        for _ in 0..<2 {
            let connection = try await server.accept()
            let head = try await connection.read(through: "\r\n\r\n")
            #expect(head.hasPrefix("\(method) /feed HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\n"))
            #expect(head.contains("\r\nContent-Type: application/json\r\n"))
            #expect(head.contains("\r\nAccept: text/event-stream, text/plain\r\n"))
            #expect(head.contains("\r\nLast-Event-ID: from before\r\n"))
            #expect(head.contains("\r\nContent-Length: 18\r\n"))
            #expect(!head.contains("elsewhere"))
            #expect(try await connection.read(count: 18) == #"{"hello":"wörld"}"#)
            try await connection.stream()
            try await connection.finishSending()
        }
        source.close()
    }

    @Test func `everything is told, in order`() async throws {
        let server = try RawServer()
        let source = try server.source {
            $0.lineLimit = 50
            $0.idleTimeout = nil
        }
        var items = source.items.makeAsyncIterator()
        var first: RawClient? = try await server.accept()
        try await first?.stream(
            ": hello\nid: 1\nevent: named\ndata: a\ndata: b\n\nretry: 100\n:\ndata: \(String(repeating: "x", count: 60))\n\n",
            fields: "X-Name: value\r\n")
        guard case .opened(let fields) = await items.next() else { throw RawClient.Failure(description: "not opened") }
        #expect(fields.contains { $0.name.canonicalName == "x-name" && $0.value == "value" })
        #expect(await items.next() == .comment(" hello"))
        #expect(await items.next() == .event(ReceivedEvent("a\nb", type: "named", lastEventID: "1")))
        #expect(await items.next() == .retry(.milliseconds(100)))
        #expect(await items.next() == .comment(""))
        #expect(await items.next() == .notice(.oversized))
        first?.resetOnClose()
        first = nil
        #expect(await items.next()?.error?.kind == .cut)
        let connection = try await server.accept()
        try await connection.stream("id: 1\ndata: again\n\nid: 2\ndata: new\n\nid: 2\ndata: same id\n\n")
        #expect(await items.next()?.isOpened == true)
        #expect(await items.next() == .notice(.duplicate))
        #expect(await items.next() == .event(ReceivedEvent("new", lastEventID: "2")))
        #expect(await items.next() == .notice(.repeatedIDs))
        #expect(await items.next() == .event(ReceivedEvent("same id", lastEventID: "2")))
    }

    @Test func `silence beyond the read timeout is an error, and it connects again`() async throws {
        let server = try RawServer()
        let source = try server.source { $0.idleTimeout = .milliseconds(100) }
        let serving = Task {
            // On a busy machine the time may be over before an answer is sent: then the next one is answered.
            var connections: [RawClient] = []
            while !Task.isCancelled {
                let connection = try await server.accept()
                connections.append(connection)
                try? await connection.stream("data: one\n\n")
            }
        }
        var items = source.items.makeAsyncIterator()
        for _ in 0..<2 {
            while let item = await items.next(), item != .event(ReceivedEvent("one")) {}
            #expect(await items.next()?.error?.kind == .timeout)
        }
        source.close()
        serving.cancel()
    }

    @Test func `an answer that does not come in time is an error`() async throws {
        let server = try RawServer()
        let source = try server.source { $0.idleTimeout = .milliseconds(50) }
        var items = source.items.makeAsyncIterator()
        let connection = try await server.accept()
        #expect(await items.next()?.error?.kind == .timeout)
        _ = try await connection.readToEnd()
        _ = try await server.accept()
    }

    @Test func `a server that names a time is asked again after it`() async throws {
        let server = try RawServer()
        let source = try server.source()
        let connection = try await server.accept()
        try await connection.send("HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n")
        var items = source.items.makeAsyncIterator()
        let error = await items.next()?.error
        #expect(error?.kind == .status)
        #expect(error?.retryAfter == .seconds(7))
    }

    @Test func `204 ends it, and a restart begins it anew`() async throws {
        let server = try RawServer()
        let source = try server.source()
        var items = source.items.makeAsyncIterator()
        let connection = try await server.accept()
        try await connection.send("HTTP/1.1 204 No Content\r\n\r\n")
        let error = await items.next()?.error
        #expect(error?.kind == .stopped)
        #expect(error?.retryAfter == nil)
        #expect(await items.next() == nil)
        #expect(source.readyState == .closed)
        source.restart()
        let again = try await server.accept()
        try await again.stream("data: back\n\n")
        var events = source.events.makeAsyncIterator()
        #expect(await events.next() == ReceivedEvent("back"))
        #expect(source.readyState == .open)
    }

    @Test func `a redirect is followed, and another origin gets no fields of the program`() async throws {
        let server = try RawServer()
        let other = try RawServer()
        let source = try server.source { $0.headers[.authorization] = "Bearer secret" }
        let first = try await server.accept()
        #expect(try await first.read(through: "\r\n\r\n").contains("Bearer secret"))
        try await first.send("HTTP/1.1 302 Found\r\nLocation: \(other.url("/there"))\r\nContent-Length: 0\r\n\r\n")
        let second = try await other.accept()
        let head = try await second.read(through: "\r\n\r\n")
        #expect(head.hasPrefix("GET /there HTTP/1.1\r\n"))
        #expect(!head.contains("secret"))
        try await second.stream("data: there\n\n")
        var events = source.events.makeAsyncIterator()
        #expect(await events.next() == ReceivedEvent("there"))
    }

    @Test func `a restart connects at once, with the last id, and keeps what came`() async throws {
        let server = try RawServer()
        let source = try server.source { $0.retry.initial = .seconds(3600) }
        let first = try await server.accept()
        try await first.stream("id: 7\ndata: one\n\n")
        var events = source.events.makeAsyncIterator()
        #expect(await events.next() == ReceivedEvent("one", lastEventID: "7"))
        source.restart()
        let second = try await server.accept()
        #expect(try await second.read(through: "\r\n\r\n").contains("\r\nLast-Event-ID: 7\r\n"))
        _ = try await first.readToEnd()
        try await second.stream("data: two\n\n")
        #expect(await events.next() == ReceivedEvent("two", lastEventID: "7"))
    }

    @Test(arguments: ["http://user@host/", "ftp://host/", "https://", "http://host/#x", "http://hö/", ""])
    func `a URL that cannot be used is refused at once`(url: String) {
        let error = #expect(throws: SluiceError.self) { try EventSource(url: url) }
        #expect(error?.kind == .configuration)
    }

    @Test func `an id that no field can carry is refused at once`() {
        var options = EventSourceOptions()
        options.lastEventID = "a\r\nX: y"
        let error = #expect(throws: SluiceError.self) { try EventSource(url: "http://127.0.0.1/", options: options) }
        #expect(error?.kind == .configuration)
    }

    @Test func `answers without sense are errors and no more`() async throws {
        let server = try RawServer()
        let source = try server.source()
        var items = source.items.makeAsyncIterator()
        for answer in ["", "\0\0\0", "HTTP/1.1 200\r\n\r\n", "HTTP/9 200 OK\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}"] {
            let connection = try await server.accept()
            try await connection.send(answer)
            try await connection.finishSending()
            #expect(await items.next()?.error?.retryAfter != nil, "\(answer)")
        }
    }
}

extension RawServer {
    /// A client of `/feed` that comes again at once.
    func source(_ change: (inout EventSourceOptions) -> Void = { _ in }) throws -> EventSource {
        var options = EventSourceOptions()
        options.retry.initial = .milliseconds(1)
        options.retry.maximum = .milliseconds(5)
        change(&options)
        return try EventSource(url: url("/feed"), options: options)
    }
}

extension RawClient {
    /// Begins a stream that lasts until the connection ends.
    func stream(_ text: String = "", fields: String = "") async throws {
        try await send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\(fields)\r\n\(text)")
    }
}

extension EventSource.Item {
    var isOpened: Bool { if case .opened = self { true } else { false } }
    var error: EventSourceError? { if case .error(let error) = self { error } else { nil } }
}
