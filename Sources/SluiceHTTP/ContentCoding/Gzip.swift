/// What stands around deflate data to make it gzip (RFC 1952), and pieces of it that are always the same.
package enum Gzip {
    /// A member's header: no name, no time, no system.
    package static let header: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]

    /// A piece of deflate data that says a few bytes as they are: a stored block, which ends at a byte.
    package static func stored(_ bytes: [UInt8]) -> [UInt8] {
        let count = UInt16(truncatingIfNeeded: bytes.count)
        return [0] + [count, ~count].flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
            + bytes
    }

    /// The end of a member: an empty last block, and the trailer.
    /// - Parameter count: the bytes of the content, modulo 2^32.
    package static func end(checksum: UInt32, count: UInt32) -> [UInt8] {
        var end: [UInt8] = [3, 0]
        for value in [checksum, count] {
            for shift in stride(from: 0, to: 32, by: 8) { end.append(UInt8(truncatingIfNeeded: value >> shift)) }
        }
        return end
    }
}
