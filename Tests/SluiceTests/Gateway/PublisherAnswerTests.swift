import SluiceTestSupport
import Testing

@testable import Sluice

/// When answers to publishers leave, and that they do.
@Suite struct `Answers to publishers` {
    private func post(_ data: String, _ fields: String = "", to path: String = "/publish/news") -> String {
        "POST \(path) HTTP/1.1\r\nHost: x\r\n\(fields)Content-Length: \(data.utf8.count)\r\n\r\n\(data)"
    }

    private func withOneWorker(_ body: (RunningGateway) async throws -> Void) async throws {
        var configuration = Configuration.make()
        configuration.workers = 1
        try await withGateway(configuration, body)
    }

    /// The sequences that answers name, in their order.
    private func sequences(_ answers: String) -> [UInt64] {
        answers.split(separator: "{\"ids\":[\"").dropFirst().compactMap { UInt64($0.prefix(21).suffix(12), radix: 16) }
    }

    @Test func `who has the answer knows that the subscribers of its worker were written to`() async throws {
        try await withOneWorker { gateway in
            let (subscriber, _) = try await gateway.subscriber("/news")
            let publisher = try gateway.client()
            // Often: were the answer sent first, the event would still come in time now and then.
            for number in 0..<300 {
                try await publisher.send(post("event \(number)."))
                _ = try await publisher.read(through: "\"subscribers\":1}")
                #expect(try await subscriber.readWhatCame().contains("data: event \(number).\n"))
            }
        }
    }

    @Test func `pipelined requests are answered in order, whatever they are`() async throws {
        try await withOneWorker { gateway in
            let (subscriber, _) = try await gateway.subscriber("/news")
            let publisher = try gateway.client()
            let bad = post("x", to: "/publish/news?retry=soon")
            let large = post(String(repeating: "x", count: 40_000))
            let ok = "GET /ok HTTP/1.1\r\nHost: x\r\n\r\n"
            let last = post("3", "Connection: close\r\n")
            try await publisher.send(String(repeating: post("1"), count: 200) + bad + post("2") + ok + large + last)
            let answers = try await publisher.readToEnd()
            let status = answers.split(separator: "HTTP/1.1 ").map { $0.prefix(3) }
            #expect(status == Array(repeating: "200", count: 200) + ["400", "200", "200", "200", "200"])
            #expect(sequences(answers) == Array(1...203))
            #expect(answers.contains("\r\n\r\nok"))
            for _ in 0..<203 { _ = try await subscriber.read(through: "\n\n") }
        }
    }

    @Test func `a subscription behind a publish on one connection begins after it`() async throws {
        try await withOneWorker { gateway in
            let client = try gateway.client()
            let subscribe = "GET /news HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n"
            try await client.send(post("before") + subscribe)
            #expect(try await client.read(through: "\"subscribers\":0}").hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(try await client.read(through: "\r\n\r\n").contains("text/event-stream"))
            try gateway.gateway.hub.publish(ServerSentEvent("after"), to: "news")
            let events = try await client.read(through: "\n\n")
            #expect(events.contains("data: after\n"))
            #expect(!events.contains("before"))
        }
    }

    @Test func `a client that ends its side behind its request gets the answer and the end`() async throws {
        try await withOneWorker { gateway in
            let client = try gateway.client()
            try await client.send(post("x"))
            try await client.finishSending()
            #expect(try await client.readToEnd().hasSuffix("\"subscribers\":0}"))
        }
    }

    @Test func `nothing is published without an answer when the gateway stops`() async throws {
        try await withOneWorker { gateway in
            let publishers = try (0..<8).map { _ in try gateway.client() }
            let before = gateway.gateway.hub.position
            for publisher in publishers { try await publisher.send(String(repeating: post("x"), count: 300)) }
            gateway.task.cancel()
            var answered: [UInt64] = []
            for publisher in publishers { answered += sequences(try await publisher.readToEnd()) }
            #expect(answered.sorted() == Array((before + 1)..<(gateway.gateway.hub.position + 1)))
        }
    }
}
