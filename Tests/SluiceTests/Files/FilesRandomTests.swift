import SluiceHTTP
import SluiceIO
import Testing

@testable import Sluice

/// What strangers write, put together by chance: nothing of it stops the gateway or leads anywhere.
@Suite struct `Requests for files by chance` {
    private static func text(of words: [String], _ random: inout SplitMix) -> ArraySlice<UInt8> {
        bytes(
            (0..<Int.random(in: 0...12, using: &random)).map { _ in words.randomElement(using: &random) ?? "" }.joined()
        )
    }

    private static func lie(_ parts: [Range<UInt64>], in size: UInt64) -> Bool {
        let sorted = parts.sorted { a, b in a.lowerBound < b.lowerBound }
        for part in parts where part.isEmpty || part.upperBound > size { return false }
        for (part, next) in zip(sorted, sorted.dropFirst()) where part.upperBound > next.lowerBound { return false }
        return !parts.isEmpty
    }

    @Test func `ranges lie in the file, one behind the other`() {
        var random = SplitMix(state: 3)
        let words = [
            "-", ",", "=", " ", "0", "1", "7", "9", "99", "18446744073709551615", "18446744073709551616", "\t", "x",
        ]
        let sizes: [UInt64] = [0, 1, 10, 100, .max]
        var served = 0
        for _ in 0..<20_000 {
            let size = sizes.randomElement(using: &random) ?? 0
            let value = bytes("bytes=") + Self.text(of: words, &random)
            guard case .parts(let parts) = ByteRanges(value, size: size) else { continue }
            served += 1
            #expect(Self.lie(parts, in: size), "\(String(decoding: value, as: UTF8.self)) of \(size): \(parts)")
        }
        #expect(served > 100)
    }

    @Test func `paths have no name that is refused`() {
        var random = SplitMix(state: 5)
        let words = [
            "/", "/", ".", "..", "a", "%2e", "%2F", "%5c", "\\", "%00", "%", "%25", "%C3%A4", ".well-known", "\u{1}",
        ]
        var found = 0
        for _ in 0..<20_000 {
            guard let path = FilePath(bytes("/") + Self.text(of: words, &random)) else { continue }
            found += 1
            let names = path.bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            for name in names where !path.bytes.isEmpty {
                let isFine =
                    !name.isEmpty && !name.contains(0) && !name.contains(UInt8(ascii: "\\"))
                    && (name.first != UInt8(ascii: ".") || name.elementsEqual(".well-known".utf8))
                #expect(isFine, "\(path)")
            }
        }
        #expect(found > 1000)
    }

    @Test func `conditions are read whatever stands in them`() {
        var random = SplitMix(state: 7)
        let facts = FileFacts(size: 1000, inode: 1, modifiedSeconds: .max, modifiedNanoseconds: .max)
        let words = [
            "\"", "W/", "*", ",", " ", EntityTag(facts).text, "Sun,", "06", "Nov", "1994", "08:49:37", "GMT", "-",
            "99:",
            "bytes=", "1", "é",
        ]
        let names = ["If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range"]
        var statuses: Set<UInt16> = []
        for _ in 0..<20_000 {
            var fields = FieldBlock()
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let value = String(decoding: Self.text(of: words, &random), as: UTF8.self)
                fields.append(name: names.randomElement(using: &random) ?? "", value: value)
            }
            let answer = FileAnswer(
                to: RequestHead.make(fields: fields), facts, type: "a/b", cacheControl: nil, now: 1, boundary: "b")
            statuses.insert(answer.status)
        }
        #expect(statuses.isSubset(of: [200, 206, 304, 412, 416]))
        #expect(statuses.isSuperset(of: [200, 304, 412]))
    }
}
