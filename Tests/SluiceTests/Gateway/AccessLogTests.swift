import Glibc
import SluiceIO
import SluiceTestSupport
import Testing

@testable import Sluice

@Suite struct AccessLogTests {
    /// The lines that a gateway with this handler wrote.
    private func lines(
        handler: @escaping Gateway.Handler, _ body: (RunningGateway) async throws -> Void
    ) async throws -> [String] {
        let path = "/tmp/sluice-access-\(UInt64.random(in: 0 ... .max)).log"
        defer { unsafe unlink(path) }
        var configuration = Configuration()
        configuration.log.access = AccessLogOptions(.file(path))
        try await withGateway(configuration, handler: handler, body)
        return String(decoding: try FileContent.read(path), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test func `a program's streams are told with their events`() async throws {
        let lines = try await lines { request in
            guard request.accepts(.eventStream) else { return .text("ok") }
            return .eventStream { stream in
                try await stream.comment("hi")
                for number in 0..<3 { try await stream.send(ServerSentEvent("\(number)")) }
            }
        } _: { gateway in
            let plain = try gateway.client()
            try await plain.send("GET /a?token=x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            _ = try await plain.readToEnd()
            let (client, _) = try await gateway.subscriber("/s")
            _ = try await client.read(through: "0\r\n\r\n")
        }
        #expect(lines.count == 3)
        #expect(
            lines.contains { $0.contains("\"path\":\"/a\",\"query\":\"token=***\"") && $0.contains("\"bytes\":2,") })
        #expect(lines.contains { $0.contains("\"event\":\"open\"") && $0.contains("\"path\":\"/s\"") })
        let close = lines.first { $0.contains("\"event\":\"close\"") } ?? ""
        #expect(close.contains("\"events\":3,\"reason\":\"ended\""))
    }

    @Test func `a gateway that cannot open its log does not begin`() {
        var configuration = Configuration()
        configuration.listeners = [ListenerOptions("127.0.0.1:0")]
        configuration.log.access = AccessLogOptions(.file("/proc/none"))
        #expect(throws: SluiceError.self) { try Gateway(configuration: configuration) }
    }
}
