import SluiceHTTP
import Testing

@testable import Sluice

@Suite struct ResponseVerdictTests {
    private func verdict(_ status: UInt16, _ fields: [(String, String)] = []) -> ResponseVerdict {
        var block = FieldBlock()
        for (name, value) in fields { block.append(name: name, value: value) }
        // Sun, 06 Nov 1994 08:49:37 GMT
        return ResponseVerdict(ResponseHead(status: status, fields: block), unixSeconds: 784_111_777)
    }

    private func fault(_ verdict: ResponseVerdict) -> (FeedFault, FeedSchedule.Outcome)? {
        guard case .fault(let fault) = verdict else { return nil }
        return (fault.cause, fault.outcome)
    }

    private let type = ("Content-Type", "text/event-stream")

    @Test(arguments: ["text/event-stream", "text/event-stream;", "Text/Event-Stream; charset=windows-1252"])
    func `200 with the right type is a stream`(type: String) {
        #expect(verdict(200, [("Content-Type", type)]) == .stream(.identity))
    }

    @Test(arguments: ["text/html", "text/event-streamfoo", "", "text/plain, text/event-stream"])
    func `200 with a wrong type is an error and is asked again`(type: String) throws {
        let found = try #require(fault(verdict(200, [("Content-Type", type)])))
        #expect(found == (.mediaType, .failed))
    }

    @Test func `200 without a type is an error`() throws {
        let found = try #require(fault(verdict(200)))
        #expect(found == (.mediaType, .failed))
    }

    @Test func `204 is the polite stop`() throws {
        let found = try #require(fault(verdict(204)))
        #expect(found == (.stopped, .stopped))
    }

    @Test(arguments: [401, 403, 404, 410] as [UInt16])
    func `refusals wait long`(status: UInt16) throws {
        let found = try #require(fault(verdict(status, [("Retry-After", "1")])))
        #expect(found == (.refused, .refused))
    }

    @Test(arguments: [201, 205, 206, 299, 300, 304, 400, 402, 405, 408, 425, 429, 500, 502, 503, 504, 599] as [UInt16])
    func `anything else is asked again, after the time it asks for`(status: UInt16) throws {
        #expect(try #require(fault(verdict(status))) == (.status, .failed))
        #expect(
            try #require(fault(verdict(status, [("Retry-After", "7")]))) == (.status, .later(milliseconds: 7000)))
    }

    @Test(
        arguments: [
            ("0", 0), ("120", 120_000), ("99999", 3_600_000), ("99999999999999999999999", 3_600_000),
            ("Sun, 06 Nov 1994 08:49:47 GMT", 10_000), ("Sun, 06 Nov 1994 08:49:36 GMT", 0),
            ("Fri, 31 Dec 1999 23:59:59 GMT", 3_600_000), ("Mon, 29 Feb 2024 00:00:00 GMT", 3_600_000),
        ] as [(String, UInt64)])
    func `Retry-After is seconds or a date, at most an hour`(value: String, milliseconds: UInt64) {
        #expect(RetryAfter.milliseconds(value, unixSeconds: 784_111_777) == milliseconds)
    }

    @Test(arguments: [
        "", "-1", "+1", "1.5", "soon", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT",
    ])
    func `any other Retry-After is as if it were not there`(value: String) {
        #expect(RetryAfter.milliseconds(value, unixSeconds: 0) == nil)
    }

    @Test(arguments: [0, 784_111_777, 951_782_400, 951_868_800, 1_709_164_800, 4_102_444_800] as [Int64])
    func `a date that was written is read again`(seconds: Int64) {
        #expect(HTTPDate.unixSeconds(CivilTime(unixSeconds: seconds).httpDate) == seconds)
    }

    @Test func `redirects are handed on with their Location`() {
        #expect(verdict(307, [("Location", "/x")]) == .redirect(status: 307, location: Array("/x".utf8)))
        #expect(verdict(301) == .redirect(status: 301, location: nil))
    }

    @Test(arguments: ["br", "zstd", "gzip, br", "gzip, gzip"])
    func `a coding that nobody here knows is an error`(coding: String) throws {
        let found = try #require(fault(verdict(200, [type, ("Content-Encoding", coding)])))
        #expect(found == (.coding, .failed))
    }

    @Test(
        arguments: [("gzip", .gzip), ("X-GZip", .gzip), ("identity, gzip", .gzip), ("deflate", .deflate)]
            as [(String, ContentCoding)])
    func `a coding that can be decoded is`(coding: String, expected: ContentCoding) {
        #expect(verdict(200, [type, ("Content-Encoding", coding)]) == .stream(expected))
    }

    @Test func `identity is no coding`() {
        #expect(verdict(200, [type, ("Content-Encoding", "identity")]) == .stream(.identity))
        #expect(verdict(200, [type, ("Content-Encoding", "")]) == .stream(.identity))
    }

    @Test func `what a peer sends cannot spoil a log line`() {
        #expect(Printable.text([0x61, 0x0A, 0x1B, 0xFF]) == "\"a???\"")
        #expect(Printable.text([UInt8](repeating: 0x61, count: 200)).count == 105)
    }
}
