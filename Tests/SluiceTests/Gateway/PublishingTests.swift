import SluiceSSE
import SluiceTestSupport
import Testing

@testable import Sluice

/// Publishing as a program does it.
@Suite struct `Publishing from a program` {
    private func kind(_ body: () throws -> Void) -> SluiceError.Kind? {
        do {
            try body()
            return nil
        } catch {
            return (error as? SluiceError)?.kind
        }
    }

    @Test func `a batch is published in order, with its types, ids and reconnection times`() async throws {
        try await withGateway(.make { $0.ids = .upstream }) { gateway in
            let (client, _) = try await gateway.subscriber("/news")
            let batch = [
                ServerSentEvent("1", event: "a", id: "x"), ServerSentEvent("2", retry: .milliseconds(70)),
                ServerSentEvent("3", id: "z"),
            ]
            let receipt = try gateway.gateway.hub.publish(batch, to: "news")
            #expect(receipt.ids == ["x", "", "z"])
            #expect(receipt.subscribers == 1)
            #expect(try await client.read(through: "\n\n").contains("event: a\ndata: 1\nid: x\n\n"))
            let second = try await client.read(through: "\n\n")
            #expect(second.contains("data: 2\n"))
            #expect(second.contains("retry: 70\n"))
            #expect(try await client.read(through: "\n\n").contains("data: 3\nid: z\n\n"))
            #expect(try gateway.gateway.hub.publish([], to: "news").ids.isEmpty)
        }
    }

    @Test func `a refused publish is never answered with 200, whatever it accepts`() async throws {
        var configuration = Configuration.make()
        configuration.limits.topics = 1
        try await withGateway(configuration) { gateway in
            let client = try gateway.client()
            try await client.send(
                "POST /publish/rooms/a HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nConnection: close\r\n"
                    + "Content-Length: 1\r\n\r\nx")
            let answer = try await client.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 503 "))
            #expect(answer.contains("Retry-After: "))
        }
    }

    @Test func `a name that a client makes up has a bound, however it comes`() async throws {
        try await withGateway(.make()) { gateway in
            let longest = String(repeating: "x", count: 1024 - "room.".utf8.count)
            for (name, status) in [(longest, "200"), (longest + "x", "404")] {
                let answer = try await gateway.publish("x", to: "/publish/rooms/\(name)")
                #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
                let (_, head) = try await gateway.subscriber("/rooms/\(name)")
                #expect(head.hasPrefix("HTTP/1.1 \(status) "))
            }
            #expect(kind { _ = try gateway.gateway.hub.subscribe(to: "room.\(longest)x") } == .unknownTopic)
        }
    }

    @Test func `one bad event stops the batch, and the error names it`() async throws {
        try await withGateway(
            .make {
                $0.history.bytes = 20_000; $0.maxLag = 20_000
            }
        ) { gateway in
            let hub = gateway.gateway.hub
            let before = try hub.publish(ServerSentEvent("before"), to: "news").ids
            do throws(SluiceError) {
                try hub.publish([ServerSentEvent("1"), ServerSentEvent("2", id: "a\nb")], to: "news")
                Issue.record("published")
            } catch {
                #expect(error.kind == .badEvent)
                #expect(error.message.hasPrefix("[1]: "))
            }
            let large = ServerSentEvent(String(repeating: "x", count: 15_000))
            #expect(kind { try hub.publish([large, large, large, large], to: "news") } == .tooLarge)
            #expect(kind { try hub.publish([large], to: "none") } == .unknownTopic)
            #expect(kind { try hub.publish([ServerSentEvent("x", retry: .seconds(-1))], to: "news") } == .badEvent)
            let (client, _) = try await gateway.subscriber("/news", headers: "Last-Event-ID: \(before[0])\r\n")
            try hub.publish([ServerSentEvent("next")], to: "news")
            #expect(try await client.read(through: "\n\n").contains("data: next\n"))
        }
    }
}
