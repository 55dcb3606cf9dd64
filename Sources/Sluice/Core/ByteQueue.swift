/// Bytes that wait to be taken from the front. It keeps no memory while empty.
struct ByteQueue: Sendable {
    private var bytes: [UInt8] = []
    private var start = 0

    var count: Int { bytes.count - start }
    var isEmpty: Bool { start == bytes.count }
    /// Bytes of memory that it needs: what was taken goes with the last.
    var footprint: Int { bytes.count }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        if start > 4096 && start > bytes.count / 2 { compact() }
        unsafe bytes.append(contentsOf: more)
    }

    mutating func append(_ more: [UInt8]) {
        guard !isEmpty else { return bytes = more }
        unsafe more.withUnsafeBytes { unsafe append($0) }
    }

    /// Adds what follows the first `start` bytes. Where nothing waits, the array is kept as it is and not copied.
    mutating func append(_ more: [UInt8], from start: Int) {
        guard isEmpty, start < more.count else { return append(Array(more.dropFirst(start))) }
        bytes = more
        self.start = start
    }

    mutating func consume(_ count: Int) {
        start += min(count, self.count)
        if start == bytes.count {
            bytes = []
            start = 0
        }
    }

    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        unsafe bytes.withUnsafeBytes { unsafe body(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    }

    private mutating func compact() {
        bytes.removeFirst(start)
        start = 0
    }
}
