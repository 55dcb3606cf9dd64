import CZlib

/// Compresses what tests are to decompress.
@safe final class Deflating {
    private let stream: UnsafeMutablePointer<z_stream>

    /// `windowBits`: 31 gzip, 15 zlib's format, -15 neither.
    init(windowBits: Int32 = 31) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        unsafe _ = sluice_zlib_deflate_init(stream, 6, windowBits, 8)
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deinitialize(count: 1)
        unsafe stream.deallocate()
    }

    /// What of `bytes` (and of those before) can be sent after `flush`: Z_SYNC_FLUSH all of it, Z_FINISH with the end.
    func callAsFunction(_ bytes: [UInt8], _ flush: Int32 = Z_SYNC_FLUSH) -> [UInt8] {
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        unsafe bytes.withUnsafeBufferPointer { input in
            unsafe stream.pointee.next_in = input.baseAddress
            unsafe stream.pointee.avail_in = uInt(input.count)
            repeat {
                unsafe buffer.withUnsafeMutableBufferPointer { room in
                    unsafe stream.pointee.next_out = room.baseAddress
                    unsafe stream.pointee.avail_out = uInt(room.count)
                    unsafe _ = deflate(stream, flush)
                }
                output += buffer.prefix(unsafe buffer.count - Int(stream.pointee.avail_out))
            } while unsafe stream.pointee.avail_out == 0
        }
        return output
    }

    /// All of it at once.
    static func whole(_ bytes: [UInt8], windowBits: Int32 = 31) -> [UInt8] {
        Deflating(windowBits: windowBits)(bytes, Z_FINISH)
    }
}
