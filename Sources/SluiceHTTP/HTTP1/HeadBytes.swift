/// The bytes of a head while they come in. A head that lies in one input is copied once, when it is complete; only
/// what came in parts is kept here until then.
struct HeadBytes: Sendable {
    private(set) var stored: [UInt8] = []
    /// Where the bytes that are not stored yet begin in the present input.
    private var origin = 0

    /// Says where in the present input the head begins, or goes on.
    mutating func begin(at index: Int) { origin = index }

    /// What to add to an index of the input to have the offset in the head.
    var delta: Int { stored.count &- origin }

    /// Keeps what the input has up to `end`.
    mutating func store(_ input: UnsafeRawBufferPointer, upTo end: Int) {
        guard origin < end else { return }
        unsafe stored.append(contentsOf: UnsafeRawBufferPointer(rebasing: input[origin..<end]))
        origin = end
    }

    /// All of the head up to `end` of the input, in one piece.
    mutating func withBytes<Result>(
        _ input: UnsafeRawBufferPointer, upTo end: Int,
        _ body: (UnsafeRawBufferPointer) throws(HTTPError) -> Result
    ) throws(HTTPError) -> Result {
        if stored.isEmpty { return unsafe try body(UnsafeRawBufferPointer(rebasing: input[origin..<end])) }
        unsafe store(input, upTo: end)
        // Not `withUnsafeBytes`: it does not carry a typed error through.
        let span = stored.span
        return try unsafe span.bytes.withUnsafeBytes { (bytes) throws(HTTPError) in unsafe try body(bytes) }
    }

    /// Hands the complete head over and forgets it.
    mutating func take(_ input: UnsafeRawBufferPointer, upTo end: Int) -> [UInt8] {
        unsafe store(input, upTo: end)
        let bytes = stored
        stored = []
        return bytes
    }
}
