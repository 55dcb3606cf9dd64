import SluiceTestSupport
import Testing

@testable import Sluice

/// What becomes of connections and streams whose clients do less than they should.
@Suite struct HTTP2LifeTests {
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private static func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt8 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        [0, 0, UInt8(payload.count), type, flags, 0, 0, 0, stream] + payload
    }

    /// A request over `http`, of a path and a host, with fields that are not kept in a table (RFC 7541, 6.2.2).
    private static func fields(_ method: UInt8, _ path: String) -> [UInt8] {
        [method, 0x86, 0x04, UInt8(path.utf8.count)] + path.utf8 + [0x01, 1, 0x78]
    }

    private static func get(_ path: String) -> [UInt8] { frame(1, flags: 5, stream: 1, fields(0x82, path)) }

    private func configuration(_ change: (inout Limits) -> Void) -> Configuration {
        var configuration = Configuration.make()
        var listener = ListenerOptions("127.0.0.1:0")
        listener.h2c = true
        configuration.listeners = [listener]
        // Longer than a client's patience: what only these would end fails here.
        configuration.limits.keepAlive = .seconds(3600)
        configuration.limits.writeTimeout = .seconds(3600)
        change(&configuration.limits)
        return configuration
    }

    @Test func `a head that is begun and not finished ends a new connection`() async throws {
        try await withGateway(configuration { $0.requestHeadTimeout = .milliseconds(50) }) { gateway in
            let client = try gateway.client()
            try await client.send(Self.preface + Self.frame(4) + Self.get("/ok").prefix(12))
            // GOAWAY, ENHANCE_YOUR_CALM.
            #expect(try await client.readToEnd().hasSuffix("\u{0}\u{0}\u{0}\u{b}"))
        }
    }

    @Test func `a response that finds a closed window is given up on in time`() async throws {
        try await withGateway(configuration { $0.writeTimeout = .milliseconds(50) }) { gateway in
            let client = try gateway.client()
            // SETTINGS_INITIAL_WINDOW_SIZE, a byte smaller than the body.
            try await client.send(Self.preface + Self.frame(4, [0, 4, 0, 0, 0, 1]) + Self.get("/ok"))
            // DATA with a byte of it.
            _ = try await client.read(through: "\u{0}\u{0}\u{1}\u{0}\u{0}\u{0}\u{0}\u{0}\u{1}o")
            _ = try await client.read(through: "\u{0}\u{0}\u{4}\u{3}\u{0}\u{0}\u{0}\u{0}\u{1}")
        }
    }

    @Test func `the bodies that one connection may have under way are bounded together`() async throws {
        let limited = configuration { $0.publishBody = 200 }
        try await withGateway(limited) { gateway in
            let client = try gateway.client()
            try await client.send(Self.preface + Self.frame(4))
            let head = Self.fields(0x83, "/publish/news")
            for stream in [1, 3, 5, 7, 9] as [UInt8] {
                try await client.send(Self.frame(1, flags: 4, stream: stream, head))
                try await client.send(Self.frame(0, stream: stream, Array(repeating: 0x78, count: 190)))
            }
            // DATA on the fifth.
            _ = try await client.read(through: "too many bodies")
            try await client.send(Self.frame(0, flags: 1, stream: 1))
            _ = try await client.read(through: "\"ids\"")
        }
    }

    @Test func `a client over the limit of its address does not stay without a request`() async throws {
        let limited = configuration {
            $0.connectionsPerAddress = 1
            $0.requestHeadTimeout = .milliseconds(50)
        }
        try await withGateway(limited) { gateway in
            let first = try await gateway.subscriber("/news")
            defer { withExtendedLifetime(first) {} }
            let client = try gateway.client()
            try await client.send(Self.preface + Self.frame(4))
            // GOAWAY, NO_ERROR.
            #expect(try await client.readToEnd().hasSuffix("\u{0}\u{0}\u{0}\u{0}"))
        }
    }
}
