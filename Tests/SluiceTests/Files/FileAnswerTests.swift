import SluiceHTTP
import SluiceIO
import Testing

@testable import Sluice

@Suite struct `The answer to a request for a file` {
    /// Sun, 09 Sep 2001 01:46:40 GMT
    private static let modified: Int64 = 1_000_000_000
    private let facts = FileFacts(size: 1000, inode: 7, modifiedSeconds: modified, modifiedNanoseconds: 5)
    private var tag: String { EntityTag(facts).text }
    private static let (before, same, after) = (
        "Sun, 09 Sep 2001 01:46:39 GMT", "Sun, 09 Sep 2001 01:46:40 GMT", "Sun, 09 Sep 2001 01:46:41 GMT"
    )

    private func answer(
        _ fields: [(String, String)] = [], _ method: HTTPMethod = .get, isEncoded: Bool = false,
        now: Int64 = modified + 100
    ) -> FileAnswer {
        var block = FieldBlock()
        for (name, value) in fields { block.append(name: name, value: value.replacing("TAG", with: tag)) }
        return FileAnswer(
            to: RequestHead.make(method: method, fields: block), facts, type: "text/x", isEncoded: isEncoded,
            cacheControl: "no-cache", now: now, boundary: "BOUND")
    }

    private func status(_ fields: (String, String)..., method: HTTPMethod = .get) -> UInt16 {
        answer(fields, method).status
    }

    @Test func `is the file with its validators`() {
        let answer = answer()
        #expect(answer.status == 200)
        #expect(answer.body.parts == [.file(0..<1000)])
        #expect(answer.fields.string(.contentType) == "text/x")
        #expect(answer.fields.string(.etag) == tag)
        #expect(answer.fields.string(.lastModified) == Self.same)
        #expect(answer.fields.string(.cacheControl) == "no-cache")
        #expect(answer.fields.first(named: "Accept-Ranges")?.elementsEqual("bytes".utf8) == true)
    }

    @Test func `has a tag that other content does not have`() {
        var others = [facts, facts, facts, facts]
        others[0].size += 1
        others[1].inode += 1
        others[2].modifiedNanoseconds += 1
        others[3].modifiedSeconds += 1
        #expect(Set(others.map { EntityTag($0) } + [EntityTag(facts)]).count == 5)
        #expect(tag.hasPrefix("\"") && tag.hasSuffix("\""))
    }

    @Test func `is 412 where it is not what the client knows`() {
        #expect(status(("If-Match", "\"x\"")) == 412)
        #expect(status(("If-Match", "W/TAG")) == 412)
        #expect(status(("If-Match", "")) == 412)
        #expect(status(("If-Match", "\"a,\", TAG")) == 200)
        #expect(status(("If-Match", "\"a\""), ("If-Match", "TAG")) == 200)
        #expect(status(("If-Match", "*")) == 200)
        #expect(status(("If-Unmodified-Since", Self.before)) == 412)
        #expect(status(("If-Unmodified-Since", Self.same)) == 200)
        #expect(status(("If-Unmodified-Since", "yesterday")) == 200)
        #expect(status(("If-Match", "\"x\""), method: .head) == 412)
    }

    @Test func `is 304 where the client has it`() {
        for value in ["TAG", "W/TAG", "\"a\", W/\"b\" ,TAG", "*", ",, TAG"] {
            let answer = answer([("If-None-Match", value)])
            #expect(answer.status == 304, "\(value)")
            #expect(answer.body.left == 0)
            #expect(answer.fields.string(.etag) == tag)
            #expect(answer.fields.string(.cacheControl) == "no-cache")
            #expect(!answer.fields.has(.contentType))
        }
        #expect(status(("If-None-Match", "\"x\"")) == 200)
        #expect(status(("If-None-Match", "x TAG")) == 200)
        #expect(status(("If-Modified-Since", Self.same)) == 304)
        #expect(status(("If-Modified-Since", Self.after)) == 304)
        #expect(status(("If-Modified-Since", Self.before)) == 200)
        #expect(status(("If-Modified-Since", "Sunday, 09-Sep-01 01:46:40 GMT")) == 304)
        #expect(status(("If-Modified-Since", "Sun Sep  9 01:46:40 2001")) == 304)
        #expect(status(("If-Modified-Since", "1000000000")) == 200)
    }

    @Test func `looks at the conditions in their order`() {
        // A tag beats a date, and what fails beats what is not modified (RFC 9110, section 13.2.2).
        #expect(status(("If-Match", "TAG"), ("If-Unmodified-Since", Self.before)) == 200)
        #expect(status(("If-Match", "\"x\""), ("If-None-Match", "TAG")) == 412)
        #expect(status(("If-Match", "TAG"), ("If-None-Match", "TAG")) == 304)
        #expect(status(("If-Unmodified-Since", Self.before), ("If-None-Match", "TAG")) == 412)
        #expect(status(("If-None-Match", "\"x\""), ("If-Modified-Since", Self.after)) == 200)
        #expect(status(("If-None-Match", "TAG"), ("Range", "bytes=0-1")) == 304)
        #expect(status(("If-Match", "\"x\""), ("Range", "bytes=5000-")) == 412)
    }

    @Test func `is a part of the file`() {
        let answer = answer([("Range", "bytes=10-19")])
        #expect(answer.status == 206)
        #expect(answer.fields.string(.contentRange) == "bytes 10-19/1000")
        #expect(answer.fields.string(.contentType) == "text/x")
        #expect(answer.body.parts == [.file(10..<20)])
    }

    @Test func `is several parts of the file`() {
        let answer = answer([("Range", "bytes=0-1,-2")])
        #expect(answer.status == 206)
        #expect(answer.fields.string(.contentType) == "multipart/byteranges; boundary=BOUND")
        #expect(!answer.fields.has(.contentRange))
        let text = answer.body.parts.map { part in
            switch part {
            case .text(let bytes): String(decoding: bytes, as: UTF8.self)
            case .file(let range): "<\(range)>"
            }
        }
        let expected = """
            --BOUND
            Content-Type: text/x
            Content-Range: bytes 0-1/1000

            <0..<2>
            --BOUND
            Content-Type: text/x
            Content-Range: bytes 998-999/1000

            <998..<1000>
            --BOUND--

            """
        #expect(text.joined() == expected.replacing("\n", with: "\r\n"))
        // Each of the two parts has two bytes.
        let length = text.joined().utf8.count - "<0..<2><998..<1000>".count + 4
        #expect(answer.body.left == UInt64(length))
    }

    @Test func `is one part of an encoded file, or all of it`() {
        #expect(answer([("Range", "bytes=0-1")], isEncoded: true).body.parts == [.file(0..<2)])
        let several = answer([("Range", "bytes=0-1,-2")], isEncoded: true)
        #expect(several.status == 200)
        #expect(several.body.parts == [.file(0..<1000)])
    }

    @Test func `is 416 with the size where there is no such part`() {
        let answer = answer([("Range", "bytes=1000-")])
        #expect(answer.status == 416)
        #expect(answer.fields.string(.contentRange) == "bytes */1000")
    }

    @Test func `has parts for GET alone`() { #expect(status(("Range", "bytes=0-1"), method: .head) == 200) }

    @Test func `has parts only of the file that the client began with`() {
        let range = ("Range", "bytes=0-1")
        #expect(status(range, ("If-Range", "TAG")) == 206)
        #expect(status(range, ("If-Range", "W/TAG")) == 200)
        #expect(status(range, ("If-Range", "\"x\"")) == 200)
        #expect(status(range, ("If-Range", Self.same)) == 206)
        #expect(status(range, ("If-Range", Self.after)) == 200)
        #expect(status(range, ("If-Range", "nonsense")) == 200)
        // Within the second of its change a date does not say which of two files it is.
        #expect(answer([range, ("If-Range", Self.same)], now: Self.modified).status == 200)
        #expect(status(("Range", "bytes=5000-"), ("If-Range", "\"x\"")) == 200)
    }

    @Test func `was changed now at the latest`() {
        let answer = answer(now: Self.modified - 1)
        #expect(answer.fields.string(.lastModified) == Self.before)
    }
}
