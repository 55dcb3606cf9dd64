import SluiceTestSupport
import Testing

@testable import Sluice

@Suite struct ExchangeTests {
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
