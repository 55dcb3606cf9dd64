import Testing

@testable import Sluice

@Suite struct EventCountTests {
    @Test(arguments: [
        ("data: a\n\n", 1), ("data\n\n", 1), ("data:\r\rdata:x\r\n\r\n", 2), (":c\n\nretry: 1\n\nid: 7\n\n", 0),
        ("event: a\ndata: b\ndata: c\n\n", 1), ("database: 1\n\ndat: 1\n\nDATA: 1\n\n", 0), ("data: not yet\n", 0),
        ("data: a\n\n\n\n: x\ndata: b\n\n", 2),
    ])
    func `events are counted however the bytes are cut`(_ text: String, _ count: Int) {
        let bytes = Array(text.utf8)
        for size in 1...max(1, bytes.count) {
            var boundary = EventBoundary()
            var rest = bytes[...]
            while !rest.isEmpty {
                unsafe Array(rest.prefix(size)).withUnsafeBytes { unsafe boundary.pass($0) }
                rest = rest.dropFirst(size)
            }
            #expect(boundary.events == UInt64(count), "\(text) in pieces of \(size)")
        }
    }
}
