internal import CLinux
internal import Glibc

/// Files that are appended to.
extension System {
    /// What stands at a path or behind a descriptor.
    enum FileKind {
        case regular
        case folder
        /// A pipe, a terminal, a device.
        case other
    }

    static func openToAppend(_ path: String) throws(Errno) -> FileDescriptor {
        FileDescriptor(owning: try checked("open") { unsafe sluice_open_append(path) })
    }

    static func kind(ofPath path: String) throws(Errno) -> (kind: FileKind, identity: FileIdentity) {
        var device: UInt64 = 0
        var inode: UInt64 = 0
        let kind = try checked("stat") { unsafe sluice_path_kind(path, &device, &inode) }
        return (fileKind(kind), FileIdentity(device: device, inode: inode))
    }

    static func kind(of descriptor: Int32) throws(Errno) -> (kind: FileKind, identity: FileIdentity) {
        var device: UInt64 = 0
        var inode: UInt64 = 0
        let kind = try checked("fstat") { unsafe sluice_descriptor_kind(descriptor, &device, &inode) }
        return (fileKind(kind), FileIdentity(device: device, inode: inode))
    }

    private static func fileKind(_ kind: Int32) -> FileKind {
        switch Int(kind) {
        case SLUICE_FILE_REGULAR: .regular
        case SLUICE_FILE_FOLDER: .folder
        default: .other
        }
    }

    static func write(_ descriptor: Int32, _ buffer: UnsafeRawBufferPointer) -> IOResult {
        guard let base = buffer.baseAddress, buffer.count > 0 else { return .bytes(0) }
        let count = retrying("write") { unsafe sluice_write_file(descriptor, base, buffer.count) }
        return count >= 0 ? .bytes(count) : failure(count)
    }

    static func waitUntilWritable(_ descriptor: Int32, timeoutMilliseconds: Int32) -> Bool {
        retrying("poll") { sluice_wait_writable(descriptor, timeoutMilliseconds) } != 0
    }

    static func blockBrokenPipe() { _ = sluice_block_broken_pipe() }
}
