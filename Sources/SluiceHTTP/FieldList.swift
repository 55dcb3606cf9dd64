/// The elements of a comma-separated list of tokens (RFC 9110, 5.6.1): without the white space around them, empty ones
/// left out. Quotes mean nothing here, so that an open one cannot hide the rest of the list.
@unsafe struct FieldList {
    private let bytes: UnsafeRawBufferPointer
    private var index = 0

    init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = bytes }

    /// The next element that is not empty.
    mutating func next() -> UnsafeRawBufferPointer? {
        while unsafe index < bytes.count {
            let start = unsafe index
            var end = start
            while unsafe end < bytes.count && bytes[end] != ASCII.comma { end &+= 1 }
            let element = unsafe ASCII.trimmed(bytes, start..<end)
            unsafe index = end &+ 1
            if !element.isEmpty { return unsafe UnsafeRawBufferPointer(rebasing: bytes[element]) }
        }
        return nil
    }
}
