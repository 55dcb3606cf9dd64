import SluiceHTTP
import Testing

@testable import Sluice

@Suite struct StreamRequestTests {
    private func text(
        _ request: StreamRequest, foreign: Bool = false, keepsBody: Bool = true, id: [UInt8] = []
    ) -> String {
        let place = Redirects.Place(url: request.url, isForeign: foreign, keepsBody: keepsBody)
        return String(decoding: request.bytes(for: place, lastEventID: id), as: UTF8.self)
    }

    private func request(_ url: String = "https://example.com:8443/a?b") throws -> StreamRequest {
        StreamRequest(url: try FeedURL(url))
    }

    @Test func `a plain request asks for an event stream`() throws {
        let lines = text(try request()).components
        #expect(lines[0] == "GET /a?b HTTP/1.1")
        #expect(lines[1] == "Host: example.com:8443")
        #expect(lines.contains("Accept: text/event-stream"))
        #expect(lines.contains("Cache-Control: no-cache"))
        #expect(!lines.contains { $0.hasPrefix("Last-Event-ID") || $0.hasPrefix("Content-Length") })
        #expect(lines.suffix(2) == ["", ""])
    }

    @Test func `the last id goes along as its bytes`() throws {
        #expect(text(try request(), id: Array("a ü".utf8)).components.contains("Last-Event-ID: a ü"))
    }

    @Test(arguments: [[], [0x61, 0x01], [0x7F], [UInt8](repeating: 0x61, count: 5000)] as [[UInt8]])
    func `an id that no field can carry is not sent`(id: [UInt8]) throws {
        #expect(!text(try request(), id: id).contains("Last-Event-ID"))
    }

    @Test func `secrets do not go abroad`() throws {
        var request = try request()
        request.fields = [
            .init("Authorization", "Bearer x"), .init("cookie", "a=b"), .init("X-Key", "k", isSecret: true),
            .init("X-Open", "o"),
        ]
        let home = text(request)
        for part in ["Authorization: Bearer x", "cookie: a=b", "X-Key: k", "X-Open: o"] {
            #expect(home.contains(part))
        }
        let abroad = text(request, foreign: true).lowercased()
        #expect(abroad.contains("x-open: o"))
        for part in ["authorization", "cookie", "x-key"] { #expect(!abroad.contains(part)) }
    }

    @Test func `a body has its length, and stays behind when the request becomes a GET`() throws {
        var request = try request()
        request.method = .post
        request.body = Array("{}".utf8)
        request.fields = [.init("Content-Type", "application/json")]
        let sent = text(request)
        #expect(sent.hasPrefix("POST /a?b "))
        #expect(sent.contains("Content-Length: 2\r\n") && sent.hasSuffix("\r\n\r\n{}"))
        let moved = text(request, keepsBody: false)
        #expect(moved.hasPrefix("GET ") && moved.hasSuffix("\r\n\r\n"))
        #expect(!moved.contains("Content-"))
    }

    @Test func `a field of the caller replaces the client's, but framing is the client's own`() throws {
        var request = try request()
        request.fields = [
            .init("Accept", "*/*"), .init("Content-Length", "9"), .init("Transfer-Encoding", "chunked"),
            .init("Host", "evil"), .init("X-A", "b\r\nX-C: d"),
        ]
        let lines = text(request).components
        #expect(lines.filter { $0.hasPrefix("Accept:") } == ["Accept: */*"])
        #expect(lines.filter { $0.hasPrefix("Host:") } == ["Host: example.com:8443"])
        #expect(!lines.contains { $0.hasPrefix("Content-Length") || $0.hasPrefix("Transfer-Encoding") })
        #expect(!lines.contains("X-C: d"))
    }
}

extension String {
    fileprivate var components: [String] {
        split(separator: "\r\n", omittingEmptySubsequences: false).map { String($0) }
    }
}
