import SluiceTestSupport
import Testing

@testable import Sluice

@Suite struct ExchangeTests {
    @Test func `a request that comes while the gateway drains is told to come back`() async throws {
        var configuration = Configuration.make()
        // Longer than a client's patience: what is only cut at the end of it fails here.
        configuration.shutdownGrace = .seconds(60)
        // One, so that a stream's end says that the drain has begun for all.
        configuration.workers = 1
        try await withGateway(configuration) { gateway in
            let late = try gateway.client()
            try await late.send("GET /ok HTTP/1.1\r\nHost: x\r\n\r\nGET /news HTTP/1.1\r\nHost: x\r\n")
            _ = try await late.read(through: "\r\n\r\nok")
            let (early, _) = try await gateway.subscriber("/news")
            _ = try await early.read(through: ":")
            gateway.task.cancel()
            _ = try await early.readToEnd()
            try await late.send("Accept: text/event-stream\r\n\r\n")
            let answer = try await late.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.contains("\r\n\r\nretry: "))
        }
    }

    @Test func `a stream that a program begins while the gateway drains ends by itself`() async throws {
        let (arrivals, arrival) = AsyncStream.makeStream(of: Void.self)
        let (gates, gate) = AsyncStream.makeStream(of: Void.self)
        var configuration = Configuration.make()
        configuration.shutdownGrace = .seconds(60)
        // One, so that a stream's end says that the drain has begun for all.
        configuration.workers = 1
        try await withGateway(configuration) { _ in
            arrival.yield()
            // Not cancelled with the gateway: it is a task of its own.
            await Task { for await _ in gates { break } }.value
            return .eventStream { stream in for await _ in stream.ticks(every: .seconds(3600)) {} }
        } _: { gateway in
            let client = try gateway.client()
            try await client.send("GET /handler HTTP/1.1\r\nHost: x\r\n\r\n")
            for await _ in arrivals { break }
            let (early, _) = try await gateway.subscriber("/news")
            gateway.task.cancel()
            _ = try await early.readToEnd()
            gate.yield()
            #expect(try await client.readToEnd().hasSuffix("0\r\n\r\n"))
        }
    }

    @Test func `a client that ended its side before a program's stream began does not keep it`() async throws {
        let (arrivals, arrival) = AsyncStream.makeStream(of: Void.self)
        let (gates, gate) = AsyncStream.makeStream(of: Void.self)
        try await withGateway(Configuration.make()) { _ in
            arrival.yield()
            for await _ in gates { break }
            return .eventStream { stream in for await _ in stream.ticks(every: .seconds(3600)) {} }
        } _: { gateway in
            let client = try gateway.client()
            try await client.send("GET /handler HTTP/1.1\r\nHost: x\r\n\r\n")
            for await _ in arrivals { break }
            try await client.finishSending()
            // Each worker answers from a tick that has looked at its sockets first.
            _ = await gateway.gateway.occupancy()
            gate.yield()
            #expect(try await client.readToEnd() == "")
        }
    }

    @Test func `HEAD of a stream claims no length`() async throws {
        try await withGateway(Configuration.make()) { _ in
            .eventStream { _ in }
        } _: { gateway in
            for path in ["/news", "/handler"] {
                let client = try gateway.client()
                try await client.send(
                    "HEAD \(path) HTTP/1.1\r\nHost: x\r\n\r\nGET /ok HTTP/1.1\r\nHost: x\r\n\r\n")
                let head = try await client.read(through: "\r\n\r\n")
                #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
                #expect(head.contains("text/event-stream"))
                #expect(!head.contains("Content-Length"))
                #expect(try await client.read(through: "ok").hasPrefix("HTTP/1.1 200 OK\r\n"))
            }
        }
    }

    @Test func `a body before a stream is asked for where its client waits to be asked`() async throws {
        var configuration = Configuration.make()
        configuration.routes = [Route(RouteMatch(path: "/news", methods: ["POST"]), .subscribe("news"))]
        try await withGateway(configuration) { gateway in
            let client = try gateway.client()
            try await client.send(
                "POST /news HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            #expect(try await client.read(through: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            try await client.send("{}")
            #expect(try await client.read(through: ":\n").hasPrefix("HTTP/1.1 200 OK\r\n"))
        }
    }
}
