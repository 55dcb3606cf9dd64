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
