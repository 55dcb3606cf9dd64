import SluiceTestSupport
import Synchronization
import Testing

@testable import Sluice

@Suite struct LibraryTests {
    @Test func `a handler serves text and event streams`() async throws {
        try await withGateway(Configuration()) { request in
            guard request.accepts(.eventStream) else { return .text("ok") }
            return .eventStream { stream in
                try await stream.comment("hi")
                try await stream.send(ServerSentEvent("hello", event: "message", id: "1"))
                #expect(stream.yield(ServerSentEvent("bye")).rejection == nil)
            }
        } _: { gateway in
            let plain = try gateway.client()
            try await plain.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            #expect(try await plain.readToEnd().hasSuffix("\r\n\r\nok"))
            let (client, head) = try await gateway.subscriber("/")
            #expect(head.contains("text/event-stream"))
            #expect(try await client.read(through: "\n\n").contains("event: message\ndata: hello\nid: 1\n\n"))
            #expect(try await client.read(through: "0\r\n\r\n").contains("data: bye\n\n"))
        }
    }

    @Test func `ticks end with the client, and with them the task`() async throws {
        let ended = Atomic<Int>(0)
        let (endings, ending) = AsyncStream.makeStream(of: Void.self)
        try await withGateway(Configuration()) { _ in
            .eventStream { stream in
                for await tick in stream.ticks(every: .milliseconds(1)) {
                    stream.yield(ServerSentEvent("\(tick)"))
                }
                ended.add(1, ordering: .relaxed)
                ending.yield()
            }
        } _: { gateway in
            var clients: [RawClient] = []
            for _ in 0..<50 {
                let (client, _) = try await gateway.subscriber("/")
                // Which tick comes first depends on how busy the machine is: those that nobody waited for are skipped.
                _ = try await client.read(through: "data: ")
                clients.append(client)
            }
            clients = []
            var count = 0
            for await _ in endings {
                count += 1
                if count == 50 { break }
            }
            var held = Occupancy(ticks: -1)
            while held.ticks != 0 || held.connections != 0 { held = await gateway.gateway.occupancy().1 }
            held.timers = 0
            #expect(held == Occupancy())
        }
    }

    @Test(arguments: [(204, "HTTP/1.1 204"), (304, "HTTP/1.1 304"), (103, "HTTP/1.1 500"), (7, "HTTP/1.1 500")])
    func `a status that has no body has none, and one that is no answer is a failure`(code: Int, line: String)
        async throws
    {
        try await withGateway(Configuration()) { _ in
            var response = Response.eventStream { stream in try await stream.comment("never sent") }
            response.status = .init(code: code)
            return response
        } _: { gateway in
            let client = try gateway.client()
            try await client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            let answer = try await client.readToEnd()
            #expect(answer.hasPrefix(line))
            #expect(!answer.contains("never sent"))
        }
    }

    @Test func `a body is read up to its limit`() async throws {
        try await withGateway(Configuration()) { request in
            do {
                return .text("\(try await request.body(upTo: 10).count)")
            } catch {
                let isTooLarge = (error as? SluiceError)?.kind == .bodyTooLarge
                return .text("\(error)", status: isTooLarge ? .contentTooLarge : .badRequest)
            }
        } _: { gateway in
            let fits = try await gateway.publish("0123456789", to: "/")
            #expect(fits.hasSuffix("\r\n\r\n10"))
            let tooLarge = try await gateway.publish("0123456789a", to: "/")
            #expect(tooLarge.hasPrefix("HTTP/1.1 413"))
            let empty = try await gateway.publish("", to: "/")
            #expect(empty.hasSuffix("\r\n\r\n0"))
        }
    }

    @Test func `a sender waits for a slow client and loses nothing`() async throws {
        try await withGateway(Configuration()) { _ in
            .eventStream(bufferLimit: 10_000) { stream in
                for number in 0..<2000 {
                    try await stream.send(ServerSentEvent("\(number) " + String(repeating: "x", count: 1000)))
                }
            }
        } _: { gateway in
            let client = try gateway.client(receiveBuffer: 4096)
            try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            for number in 0..<2000 {
                #expect(try await client.read(through: "\n\n").contains("data: \(number) "))
            }
        }
    }

    @Test func `yield never waits and says when the buffer is full`() async throws {
        let (fulls, full) = AsyncStream.makeStream(of: Void.self)
        try await withGateway(Configuration()) { _ in
            .eventStream(bufferLimit: 100_000) { stream in
                var result = stream.yield(ServerSentEvent("first"))
                while result.rejection == nil {
                    result = stream.yield(ServerSentEvent(String(repeating: "x", count: 50_000)))
                }
                #expect(result.rejection == .full)
                stream.close()
                #expect(!stream.isOpen)
                #expect(stream.yield(ServerSentEvent("late")).rejection == .closed)
                full.yield()
            }
        } _: { gateway in
            let client = try gateway.client(receiveBuffer: 4096)
            try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            for await _ in fulls { break }
            let text = try await client.read(through: "\r\n0\r\n\r\n")
            #expect(text.contains("data: first\n"))
        }
    }

    @Test(arguments: ["", "Expect: 100-continue\r\n"])
    func `a stream reads its request's body, whenever that comes`(expectation: String) async throws {
        try await withGateway(Configuration()) { request in
            .eventStream { stream in
                try await stream.comment("before the body")
                let body = try await stream.request.body(upTo: 100)
                try await stream.send(ServerSentEvent(String(decoding: body, as: UTF8.self)))
            }
        } _: { gateway in
            let client = try gateway.client()
            try await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\(expectation)\r\nfir")
            let head = try await client.read(through: ": before the body\n")
            #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
            try await client.send("st!")
            let rest = try await client.readToEnd()
            #expect(rest.contains("data: first!\n\n"))
            #expect(rest.hasSuffix("\r\n0\r\n\r\n"))
            #expect(!rest.contains("100 Continue"))
        }
    }

    @Test func `a body that is still awaited when the answer is out ends as closed`() async throws {
        let (failures, failure) = AsyncStream.makeStream(of: SluiceError.Kind?.self)
        try await withGateway(Configuration()) { request in
            Task {
                do {
                    _ = try await request.body(upTo: 10)
                    failure.yield(nil)
                } catch {
                    failure.yield((error as? SluiceError)?.kind)
                }
            }
            return .text("done")
        } _: { gateway in
            let client = try gateway.client()
            try await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n")
            #expect(try await client.readToEnd().hasSuffix("done"))
            for await kind in failures {
                #expect(kind == .closed)
                break
            }
        }
    }

    @Test func `one sender that is cancelled does not end the stream for the others`() async throws {
        try await withGateway(Configuration()) { _ in
            .eventStream(bufferLimit: 1) { stream in
                let text = String(repeating: "x", count: 4 * 1024 * 1024)
                try await stream.send(ServerSentEvent("first \(text)"))
                // Both wait: the client has not read the first yet.
                let cancelled = Task { try await stream.send(ServerSentEvent("cancelled")) }
                let other = Task { try await stream.send(ServerSentEvent("other")) }
                await Task.yield()
                cancelled.cancel()
                _ = await cancelled.result
                try await other.value
            }
        } _: { gateway in
            let client = try gateway.client(receiveBuffer: 4096)
            try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try await client.read(through: "\r\n0\r\n\r\n").contains("data: other\n"))
        }
    }
}
