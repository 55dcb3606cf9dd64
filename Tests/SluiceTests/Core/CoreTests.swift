import Testing

@testable import Sluice

@Suite struct SlabTests {
    @Test func `a handle finds its element until it is removed, and nobody else's afterwards`() {
        let slab = Slab<Int>()
        let first = slab.insert(1)
        let second = slab.insert(2)
        #expect(slab.find(first)?.value == 1)
        slab.remove(first)
        #expect(slab.find(first) == nil)
        let third = slab.insert(3)
        #expect(third.index == first.index)
        #expect(slab.find(first) == nil)
        #expect(slab.find(third)?.value == 3)
        #expect(slab.find(second)?.value == 2)
        slab.remove(first)
        #expect(slab.count == 2)
    }

    @Test func `addresses stay while the slab grows`() {
        let slab = Slab<Int>()
        let token = slab.insert(7)
        let address = slab.find(token)
        for number in 0..<10_000 { slab.insert(number) }
        #expect(slab.find(token) == address)
        #expect(slab.count == 10_001)
    }

    @Test func `elements may be removed while they are visited, and all are released in the end`() {
        final class Counted {
            static nonisolated(unsafe) var live = 0; init() { unsafe Counted.live += 1 };
            deinit { unsafe Counted.live -= 1 }
        }
        do {
            let slab = Slab<Counted>()
            for _ in 0..<1000 { slab.insert(Counted()) }
            var number = 0
            slab.forEach { token, _ in
                number += 1
                if number % 2 == 0 { slab.remove(token) }
            }
            #expect(slab.count == 500)
            #expect(unsafe Counted.live == 500)
        }
        #expect(unsafe Counted.live == 0)
    }

    @Test func `a token survives packing, its kind too`() {
        let token = Token(index: .max, generation: 0xABCDEF)
        let (kind, unpacked) = Token.unpack(token.packed(.connection))
        #expect(kind == .connection)
        #expect(unpacked == token)
        #expect(Token.unpack(0).kind == nil)
    }
}

@Suite struct CivilTimeTests {
    @Test(arguments: [
        (Int64(0), "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
    ])
    func `a date is what RFC 9110 writes`(seconds: Int64, text: String) {
        #expect(CivilTime(unixSeconds: seconds).httpDate == text)
    }

    @Test func `milliseconds have three digits`() {
        #expect(CivilTime(unixSeconds: 784_111_777).iso8601(milliseconds: 7) == "1994-11-06T08:49:37.007Z")
    }

    @Test(arguments: [Int64.min, -1, .max]) func `no time traps`(seconds: Int64) {
        #expect(!CivilTime(unixSeconds: seconds).httpDate.isEmpty)
    }
}

@Suite struct MillisecondsTests {
    @Test func `durations become whole milliseconds, rounded up`() {
        #expect(Duration.milliseconds(1500).milliseconds == 1500)
        #expect(Duration.nanoseconds(1).milliseconds == 1)
        #expect(Duration.zero.milliseconds == 0)
        #expect(Duration.seconds(-5).milliseconds == 0)
        #expect(Duration.seconds(Int64.max).milliseconds == UInt64.max / 4)
    }

    @Test func `spreading stays within the jitter and never traps`() {
        for _ in 0..<1000 { #expect((1000...3000).contains(UInt64(2000).spread(by: 0.5))) }
        #expect(UInt64(2000).spread(by: 0) == 2000)
        _ = UInt64.max.spread(by: 5)
    }
}

@Suite struct QueryStringTests {
    private func value(_ name: String, _ query: String) -> String? {
        QueryString.value(of: [name], in: Array(query.utf8)[...])?.decoded.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `values are decoded`() {
        #expect(value("event", "a=1&event=x%20y+z&b") == "x y z")
        #expect(value("b", "a=1&b") == "")
        #expect(value("c", "a=1&b") == nil)
        #expect(value("a", "a==%3d") == "==")
    }

    @Test(arguments: ["a=%", "a=%4", "a=%zz", "a=%4z"]) func `malformed escapes are no value`(query: String) {
        #expect(value("a", query) == nil)
    }
}

@Suite struct JSONTextTests {
    @Test func `strings are escaped`() {
        var bytes: [UInt8] = []
        JSONText.append("a\"\\\n\u{1}é", to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "\"a\\\"\\\\\\n\\u0001é\"")
        for (text, quoted) in [("", "\"\""), (" ~", "\" ~\""), ("\u{7F}", "\"\\u007f\""), ("\\", "\"\\\\\"")] {
            bytes = []
            JSONText.append(text, to: &bytes)
            #expect(String(decoding: bytes, as: UTF8.self) == quoted)
        }
    }
}

@Suite struct Base64Tests {
    @Test(
        arguments: [
            ([], ""), ([0x66], "Zg=="), ([0x66, 0x6F], "Zm8="), (Array("foo".utf8), "Zm9v"),
            (Array("foob".utf8), "Zm9vYg=="),
            ([0xFF, 0xEF, 0xFE, 0xFB, 0], "/+/++wA="),
        ] as [([UInt8], String)])
    func `bytes become letters`(bytes: [UInt8], text: String) {
        #expect(String(decoding: Base64.encode(bytes), as: UTF8.self) == text)
    }
}

@Suite struct ByteQueueTests {
    @Test func `bytes come out in the order they went in`() {
        var queue = ByteQueue()
        var expected: [UInt8] = []
        var taken: [UInt8] = []
        for number in 0..<2000 {
            let part = (0..<(number % 37)).map { UInt8(truncatingIfNeeded: $0 + number) }
            queue.append(part)
            expected += part
            let count = number % 23
            taken += unsafe queue.withBytes { unsafe Array($0.prefix(count)) }
            queue.consume(count)
        }
        taken += unsafe queue.withBytes { unsafe Array($0) }
        #expect(taken == expected)
        queue.consume(.max)
        #expect(queue.isEmpty)
    }

    @Test(arguments: [0, 2, 3])
    func `what follows the first bytes of an array waits behind what waits already`(start: Int) {
        for before in [[], [9]] as [[UInt8]] {
            var queue = ByteQueue()
            queue.append(before)
            queue.append([1, 2, 3], from: start)
            #expect(unsafe queue.withBytes { unsafe Array($0) } == before + [1, 2, 3][start...])
            #expect(queue.isEmpty == (before.isEmpty && start == 3))
        }
    }
}
