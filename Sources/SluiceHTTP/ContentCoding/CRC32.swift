internal import CZlib

/// The check of gzip (RFC 1952, 8): of some bytes, and of bytes whose parts' checks are known.
package enum CRC32 {
    /// The check of `bytes`.
    package static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var sum: uLong = 0
        var rest = unsafe bytes
        while let base = unsafe rest.bindMemory(to: UInt8.self).baseAddress, unsafe !rest.isEmpty {
            let part = uInt(clamping: rest.count)
            unsafe sum = crc32(sum, base, part)
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest[Int(part)...])
        }
        return UInt32(truncatingIfNeeded: sum)
    }

    /// The check of `bytes`.
    package static func checksum(_ bytes: [UInt8]) -> UInt32 { unsafe bytes.withUnsafeBytes { unsafe checksum($0) } }

    /// The check of two stretches, one behind the other, from theirs. It is linear: `combine(a ^ b, 0, n)` is
    /// `combine(a, 0, n) ^ combine(b, 0, n)`.
    /// - Parameter count: the bytes of the second one.
    package static func combine(_ first: UInt32, _ second: UInt32, count: UInt64) -> UInt32 {
        let count = Int(truncatingIfNeeded: count & UInt64(Int64.max))
        return UInt32(truncatingIfNeeded: crc32_combine(uLong(first), uLong(second), count))
    }

    /// `combine` for many first stretches and one second one, at a small part of the cost.
    package struct Appending: Sendable {
        private let operation: uLong
        private let second: UInt32

        package init(_ second: UInt32, count: UInt64) {
            self.second = second
            operation = crc32_combine_gen(Int(truncatingIfNeeded: count & UInt64(Int64.max)))
        }

        package func callAsFunction(to first: UInt32) -> UInt32 {
            UInt32(truncatingIfNeeded: crc32_combine_op(uLong(first), uLong(second), operation))
        }
    }
}
