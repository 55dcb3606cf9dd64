/// How the bytes of a response body are marked off.
enum Framing: UInt8, Sendable {
    /// Chunks of HTTP/1.1 (RFC 9112, section 7.1).
    case chunked
    /// Nothing: the body ends with the connection (HTTP/1.0).
    case untilClose
}

/// The line that begins a chunk: its size in hex and CRLF, without an allocation.
struct ChunkHead {
    private let bytes: UInt64
    private let digits: Int

    /// Digits and line end.
    var count: Int { digits + 2 }

    /// - Parameter size: bytes of the chunk; sizes over 2^24 - 1 take more digits, up to 16.
    init(_ size: Int) {
        bytes = UInt64(size)
        digits = max(1, (64 - bytes.leadingZeroBitCount + 3) / 4)
    }

    func copy(to target: UnsafeMutableRawPointer) {
        for place in 0..<digits {
            let digit = UInt8(truncatingIfNeeded: bytes >> UInt64(4 * (digits - 1 - place)) & 15)
            unsafe target.storeBytes(of: digit < 10 ? 0x30 + digit : 0x57 + digit, toByteOffset: place, as: UInt8.self)
        }
        unsafe target.storeBytes(of: 0x0D, toByteOffset: digits, as: UInt8.self)
        unsafe target.storeBytes(of: 0x0A, toByteOffset: digits + 1, as: UInt8.self)
    }

    func append(to target: inout [UInt8]) {
        for place in 0..<digits {
            let digit = UInt8(truncatingIfNeeded: bytes >> UInt64(4 * (digits - 1 - place)) & 15)
            target.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
        }
        target.append(0x0D)
        target.append(0x0A)
    }
}
