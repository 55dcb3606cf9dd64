internal import CZlib

/// Why there is no compressor.
package enum DeflateError: Error, Equatable, Sendable, CustomStringConvertible {
    /// There is no memory for it.
    case memory

    package var description: String { "there is no memory to compress with" }
}

/// Compresses to bare deflate data (RFC 1951), of which each piece ends at a byte and holds all that went into it.
///
/// It has no lock: one thread uses it at a time, which is its owner's to see to.
@safe package final class Deflater: @unchecked Sendable {
    /// How a piece ends. Both ends are bytes, so that pieces can be strung together.
    package enum Flush {
        /// What follows may refer back to it.
        case sync
        /// What follows does not.
        case full

        fileprivate var mode: Int32 { self == .sync ? Z_SYNC_FLUSH : Z_FULL_FLUSH }
    }

    private let stream: UnsafeMutablePointer<z_stream>

    /// - Parameters:
    ///   - level: 1 (quick) to 9 (small).
    ///   - memoryLevel: 1 to 9: the size of the table that finds repetitions, which each full flush empties.
    package init(level: Int32, memoryLevel: Int32) throws(DeflateError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // zlib's way to ask for neither header nor trailer is a negative size of the window.
        guard unsafe sluice_zlib_deflate_init(stream, level, -Deflater.windowBits, memoryLevel) == Z_OK else {
            throw DeflateError.memory
        }
    }

    deinit {
        // Nothing to end where the start failed; deflateEnd then only says so.
        unsafe deflateEnd(stream)
        unsafe stream.deinitialize(count: 1)
        unsafe stream.deallocate()
    }

    private static let windowBits: Int32 = 15
    /// How far back a repetition may lie, in bytes.
    package static let windowSize = 1 << 15

    /// The bytes that a compressor takes (zlib's own formula, and its state).
    package static func memory(level memoryLevel: Int32) -> Int {
        (1 << Int(windowBits + 2)) + (1 << Int(memoryLevel + 9)) + 6 * 1024
    }

    /// Forgets everything: what follows refers to nothing before it.
    package func reset() { unsafe deflateReset(stream) }

    /// Compresses one piece. Nothing comes of no bytes.
    ///
    /// It cannot fail: deflate complains only of a state that is not its own or of no room, and has neither here.
    package func compress(_ input: UnsafeRawBufferPointer, _ flush: Flush) -> [UInt8] {
        var output: [UInt8] = []
        var rest = unsafe input
        while unsafe !rest.isEmpty {
            let part = unsafe UnsafeRawBufferPointer(rebasing: rest.prefix(Deflater.largestPart))
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest[part.count...])
            unsafe stream.pointee.next_in = part.bindMemory(to: UInt8.self).baseAddress
            unsafe stream.pointee.avail_in = uInt(part.count)
            // The bound is for a whole; a flush needs a little more, and with room left it comes once.
            var room = unsafe Int(deflateBound(stream, uLong(part.count))) + 64
            repeat {
                let piece = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
                    unsafe stream.pointee.next_out = buffer.baseAddress
                    unsafe stream.pointee.avail_out = uInt(buffer.count)
                    unsafe deflate(stream, flush.mode)
                    count = unsafe buffer.count - Int(stream.pointee.avail_out)
                }
                if output.isEmpty { output = piece } else { output += piece }
                room = 4096
            } while unsafe stream.pointee.avail_out == 0
        }
        unsafe stream.pointee.next_in = nil
        unsafe stream.pointee.next_out = nil
        return output
    }

    /// Far less than zlib's 32-bit counters hold.
    private static let largestPart = 1 << 30

    /// Compresses one piece.
    package func compress(_ input: [UInt8], _ flush: Flush) -> [UInt8] {
        unsafe input.withUnsafeBytes { unsafe compress($0, flush) }
    }
}
