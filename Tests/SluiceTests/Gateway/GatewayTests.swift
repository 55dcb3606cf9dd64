import SluiceTestSupport
import Testing

@testable import Sluice

@Suite struct GatewayTests {
    @Test func `a subscriber gets what is published after it came, with the gateway's ids`() async throws {
        try await withGateway(.make()) { gateway in
            let (client, head) = try await gateway.subscriber("/news")
            #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(head.contains("Content-Type: text/event-stream\r\n"))
            #expect(head.contains("Cache-Control: no-store, no-transform\r\n"))
            #expect(head.contains("X-Accel-Buffering: no\r\n"))
            let receipt = try await gateway.publish("hello\nworld", to: "/publish/news?event=greeting")
            #expect(receipt.contains("\"subscribers\":1"))
            let event = try await client.read(through: "\n\n")
            #expect(event.contains("event: greeting\ndata: hello\ndata: world\nid: "))
            let id = String(decoding: gateway.gateway.hub.id(of: 1), as: UTF8.self)
            #expect(event.contains("id: \(id)\n"))
            #expect(receipt.contains("{\"ids\":[\"\(id)\"]"))
        }
    }

    @Test func `a client that comes back gets all that it missed, once and in order`() async throws {
        try await withGateway(.make()) { gateway in
            for number in 1...20 { try gateway.gateway.hub.publish(ServerSentEvent("n\(number)"), to: "news") }
            let cursor = String(decoding: gateway.gateway.hub.id(of: 7), as: UTF8.self)
            let (client, _) = try await gateway.subscriber("/news", headers: "Last-Event-ID: \(cursor)\r\n")
            for number in 21...30 { try gateway.gateway.hub.publish(ServerSentEvent("n\(number)"), to: "news") }
            for number in 8...30 {
                let event = try await client.read(through: "\n\n")
                #expect(event.contains("data: n\(number)\n"))
            }
        }
    }

    @Test func `an unknown cursor is told of a gap, then gets what is there`() async throws {
        try await withGateway(.make { $0.history.events = 2 }) { gateway in
            for number in 1...5 { try gateway.gateway.hub.publish(ServerSentEvent("n\(number)"), to: "news") }
            for cursor in [
                "deadbeef-000000000001", "nonsense", String(decoding: gateway.gateway.hub.id(of: 1), as: UTF8.self),
            ] {
                let (client, _) = try await gateway.subscriber("/news?last_event_id=\(cursor)")
                let gap = try await client.read(through: "\n\n")
                #expect(gap.contains("event: gap\ndata: {\"requested\":\"\(cursor)\""))
                #expect(gap.contains("id: \(String(decoding: gateway.gateway.hub.id(of: 3), as: UTF8.self))\n"))
                #expect(try await client.read(through: "\n\n").contains("data: n4\n"))
                #expect(try await client.read(through: "\n\n").contains("data: n5\n"))
            }
        }
    }

    @Test func `workers agree on one order`() async throws {
        try await withGateway(.make()) { gateway in
            var clients: [RawClient] = []
            for _ in 0..<16 { clients.append(try await gateway.subscriber("/news").client) }
            await withTaskGroup { group in
                for publisher in 0..<4 {
                    group.addTask {
                        for number in 0..<100 {
                            _ = try? gateway.gateway.hub.publish(ServerSentEvent("\(publisher)-\(number)"), to: "news")
                        }
                    }
                }
            }
            var orders: Set<[String]> = []
            for client in clients {
                var ids: [String] = []
                for _ in 0..<400 {
                    let event = try await client.read(through: "\n\n")
                    ids.append(String(event.split(separator: "id: ").last ?? ""))
                }
                #expect(ids == ids.sorted())
                orders.insert(ids)
            }
            #expect(orders.count == 1)
        }
    }

    @Test func `a template's topic is made by its first use and dropped when idle`() async throws {
        try await withGateway(.make { $0.linger = .zero }) { gateway in
            let before = gateway.gateway.hub.topicCount
            let (client, _) = try await gateway.subscriber("/rooms/a%20b")
            #expect(try await gateway.publish("x", to: "/publish/rooms/a%20b").contains("\"subscribers\":1"))
            _ = try await client.read(through: "data: x\n")
            #expect(gateway.gateway.hub.topicCount == before + 1)
        }
    }

    @Test func `templates make no more instances than their limit`() async throws {
        try await withGateway(.make { $0.limit = 1 }) { gateway in
            #expect(try await gateway.publish("x", to: "/publish/rooms/a").hasPrefix("HTTP/1.1 200"))
            #expect(try await gateway.publish("x", to: "/publish/rooms/b").hasPrefix("HTTP/1.1 503"))
            // An EventSource dies for good on a 503.
            let (client, head) = try await gateway.subscriber("/rooms/c")
            #expect(head.hasPrefix("HTTP/1.1 200"))
            #expect(try await client.read(through: "\n").hasPrefix("retry: "))
        }
    }

    @Test func `requests on one connection are answered in order`() async throws {
        try await withGateway(.make()) { gateway in
            let client = try gateway.client()
            let post = "POST /publish/news HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx"
            let get = "GET /ok HTTP/1.1\r\nHost: x\r\n\r\n"
            try await client.send(String(repeating: post + get, count: 200))
            for _ in 0..<200 {
                #expect(try await client.read(through: "}").contains("\"ids\""))
                #expect(try await client.read(through: "\r\n\r\nok").contains("200 OK"))
            }
        }
    }

    @Test func `draining ends streams with retry and a last chunk`() async throws {
        try await withGateway(.make()) { gateway in
            let (client, _) = try await gateway.subscriber("/news")
            _ = try await client.read(through: ":")
            gateway.task.cancel()
            let rest = try await client.readToEnd()
            #expect(rest.contains("retry: "))
            #expect(rest.hasSuffix("0\r\n\r\n"))
        }
    }

    @Test func `a reader that stops is ended at its limit and the others get everything`() async throws {
        let configuration = Configuration.make {
            $0.maxLag = 256 * 1024
            $0.history = History(events: 10)
        }
        try await withGateway(configuration) { gateway in
            let stuck = try gateway.client(receiveBuffer: 4096)
            try await stuck.send("GET /news HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
            _ = try await stuck.read(through: "\r\n\r\n")
            let (reader, _) = try await gateway.subscriber("/news")
            let text = String(repeating: "x", count: 16 * 1024)
            for number in 0..<1000 {
                try await gateway.publish(ServerSentEvent("\(number) \(text)"))
                #expect(try await reader.read(through: "\n\n").contains("data: \(number) "))
            }
            var counters = Counters()
            while counters.endedOverflow == 0 { counters = await gateway.gateway.occupancy().0 }
            #expect(counters.endedOverflow == 1)
        }
    }
}
