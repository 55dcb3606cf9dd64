/// The cyclic redundancy check with Castagnoli's polynomial (RFC 3720, appendix B.4). For what is short: it knows no table.
struct CRC32C: Sendable {
    private var state: UInt32 = .max

    /// Of all that was added.
    var value: UInt32 { ~state }

    mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            state ^= UInt32(byte)
            for _ in 0..<8 { state = state & 1 == 0 ? state >> 1 : state >> 1 ^ 0x82F6_3B78 }
        }
    }
}
