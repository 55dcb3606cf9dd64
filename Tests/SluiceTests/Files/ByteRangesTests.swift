import Testing

@testable import Sluice

@Suite struct `The ranges of a request` {
    private func ranges(_ value: String, of size: UInt64 = 1000) -> ByteRanges { ByteRanges(bytes(value), size: size) }

    @Test(
        arguments: [
            ("bytes=0-99", 0..<100), ("bytes=0-0", 0..<1), ("bytes=500-", 500..<1000), ("bytes=999-", 999..<1000),
            ("bytes=-1", 999..<1000), ("bytes=-999", 1..<1000), ("Bytes=1-", 1..<1000), ("bytes=10-5000", 10..<1000),
            ("bytes= 1-2 ", 1..<3), ("bytes=,1-2,,", 1..<3), ("bytes=1-18446744073709551615", 1..<1000),
            ("bytes=0-", 0..<1000), ("bytes=0-999", 0..<1000), ("bytes=-5000", 0..<1000), ("bytes=2000-,0-", 0..<1000),
            ("bytes=1-99999999999999999999999", 1..<1000), ("bytes=2000-,1-2", 1..<3), ("bytes=007-008", 7..<9),
        ] as [(String, Range<UInt64>)])
    func `name one part`(_ value: String, _ part: Range<UInt64>) { #expect(ranges(value) == .parts([part])) }

    @Test func `name several parts, in their order`() {
        #expect(ranges("bytes=5-9, 0-1,-2") == .parts([5..<10, 0..<2, 998..<1000]))
    }

    @Test(arguments: [
        "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=1", "bytes=5-1", "bytes=1-2;3", "items=0-1", "bytes=1--2",
        "bytes=+1-2", "bytes=0x1-2", "bytes=1 -2", "bytes=0-1,x", "bytes=--1", "bytes = 0-1",
    ])
    func `are nothing where they cannot be read`(_ value: String) { #expect(ranges(value) == .whole) }

    @Test(arguments: ["bytes=0-9,5-20", "bytes=0-,0-,0-", "bytes=-1,-1"])
    func `are nothing where they overlap`(_ value: String) { #expect(ranges(value) == .whole) }

    @Test func `are nothing where they are many`() {
        func many(_ count: Int) -> String {
            "bytes=" + (0..<count).map { "\($0 * 2)-\($0 * 2)" }.joined(separator: ",")
        }
        #expect(ranges(many(17)) == .whole)
        guard case .parts(let parts) = ranges(many(16)) else {
            Issue.record("16 parts are served")
            return
        }
        #expect(parts.map(\.lowerBound) == (0..<16).map { $0 * 2 })
    }

    @Test(arguments: ["bytes=1000-", "bytes=5000-6000", "bytes=-0", "bytes=99999999999999999999-", "bytes=1000-,-0"])
    func `are not satisfiable behind the end`(_ value: String) { #expect(ranges(value) == .unsatisfiable) }

    @Test func `reach up to the largest size there is`() {
        #expect(ranges("bytes=-1", of: .max) == .parts([.max - 1 ..< .max]))
        #expect(ranges("bytes=18446744073709551614-", of: .max) == .parts([.max - 1 ..< .max]))
    }

    @Test(arguments: ["bytes=0-", "bytes=-1", "bytes=5-"])
    func `of an empty file are nothing`(_ value: String) { #expect(ranges(value, of: 0) == .whole) }
}
