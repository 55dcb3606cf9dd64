internal import CLinux
internal import Glibc

/// Calls about files.
extension System {
    /// Reads a whole file.
    static func readFile(_ path: String, limit: Int) throws(Errno) -> [UInt8] {
        let descriptor = FileDescriptor(owning: try checked("open") { unsafe sluice_open_file(path) })
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { room in
                retrying("read") { unsafe sluice_read_file(descriptor.rawValue, room.baseAddress, room.count) }
            }
            if count < 0 { throw Errno(Int32(clamping: -count)) }
            if count == 0 { return bytes }
            guard bytes.count + count <= limit else { throw Errno(EFBIG) }
            bytes.append(contentsOf: buffer.prefix(count))
        }
    }

    static func openFolder(_ path: String) throws(Errno) -> FileDescriptor {
        FileDescriptor(owning: try checked("open") { unsafe sluice_open_folder(path) })
    }

    /// - Parameter path: bytes without a NUL.
    static func open(_ path: [UInt8], below folder: Int32) throws(Errno) -> FileDescriptor {
        FileDescriptor(
            owning: try checked("openat2") {
                unsafe withCString(path) { unsafe sluice_open_below(folder, $0) }
            })
    }

    /// - Parameter isLast: it is what is wanted, else a folder on the way there.
    static func open(name: [UInt8], in folder: Int32, isLast: Bool) throws(Errno) -> FileDescriptor {
        FileDescriptor(
            owning: try checked("openat") {
                unsafe withCString(name) { unsafe sluice_open_name(folder, $0, isLast) }
            })
    }

    static func status(of descriptor: Int32) throws(Errno) -> sluice_file_status {
        var status = sluice_file_status()
        _ = try checked("fstat") { unsafe sluice_file_status_of(descriptor, &status) }
        return status
    }

    static func read(_ descriptor: Int32, at place: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
        // Asking for nothing would be answered like the end of the file.
        guard let base = buffer.baseAddress, buffer.count > 0 else { return .wouldBlock }
        let count = retrying("pread") { unsafe sluice_read_at(descriptor, base, buffer.count, place) }
        if count > 0 { return .bytes(count) }
        return count == 0 ? .end : failure(count)
    }

    private static func withCString<Result>(_ bytes: [UInt8], _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
        let terminated = bytes + [0]
        return unsafe terminated.withUnsafeBytes { unsafe body($0.assumingMemoryBound(to: CChar.self).baseAddress) }
    }
}
