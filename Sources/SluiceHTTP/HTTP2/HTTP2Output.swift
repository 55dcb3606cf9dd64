/// Bytes that wait to be sent. It has memory only while there are any.
@unsafe struct HTTP2Output {
    private var base: UnsafeMutableRawPointer?
    private var capacity = 0
    private var start = 0
    private var end = 0

    var count: Int { unsafe end &- start }
    var isFull: Bool { unsafe count >= HTTP2Session.outputLimit }
    var bytes: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: base.map { unsafe UnsafeRawPointer($0) + start }, count: count)
    }

    /// Adds bytes.
    @inline(__always)
    mutating func append(_ bytes: UnsafeRawPointer, _ count: Int) {
        if unsafe end &+ count > capacity || base == nil { unsafe grow(by: count) }
        unsafe base?.advanced(by: end).copyMemory(from: bytes, byteCount: count)
        unsafe end &+= count
    }

    /// Takes bytes off the front.
    mutating func consume(_ count: Int) {
        unsafe start = min(start &+ max(count, 0), end)
        if unsafe start == end { unsafe free() }
    }

    mutating func free() {
        unsafe base?.deallocate()
        unsafe self = HTTP2Output()
    }

    private mutating func grow(by count: Int) {
        let used = unsafe self.count
        let wanted = unsafe max(capacity &* 2, used &+ count, 4096)
        let grown = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 16)
        if let base = unsafe base {
            unsafe grown.copyMemory(from: base + start, byteCount: used)
            unsafe base.deallocate()
        }
        unsafe base = grown
        unsafe (capacity, start, end) = (wanted, 0, used)
    }
}
