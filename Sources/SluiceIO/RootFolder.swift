internal import CLinux
internal import Glibc

/// A folder whose files are opened by names that strangers give: nothing outside of it is ever opened.
package struct RootFolder: ~Copyable {
    private let descriptor: FileDescriptor

    /// How paths are followed.
    package enum Following: Sendable {
        /// By the kernel, which lets links lead anywhere below the folder (`openat2`, Linux 5.6).
        case beneath
        /// Name by name, through no link at all. For kernels and system call filters that do not know the other way.
        case withoutLinks
    }

    /// Opens a folder. A link to it is followed, so that what it points to may be changed at any time.
    package init(_ path: String) throws(Errno) {
        descriptor = try System.openFolder(path)
    }

    /// Opens what stands at a relative path, for reading. It may be anything: look at its kind. Neither a FIFO nor a
    /// device makes this wait.
    ///
    /// - Parameters:
    ///   - path: names with `/` between them, bytes as they stand in the file system. Empty, `.` and `..`, a NUL and a
    ///     `/` at the beginning are refused, a `/` at the end asks for a folder.
    package func open(_ path: [UInt8], _ following: Following = .beneath) throws(Errno) -> OpenFile {
        var names = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let wantsFolder = names.count > 1 && names.last?.isEmpty == true
        if wantsFolder { names.removeLast() }
        guard names.allSatisfy(Self.isName) else { throw .notFound }
        let file = try following == .beneath ? openBeneath(path, names) : openByNames(names)
        if wantsFolder, file.facts.kind != .folder { throw Errno(ENOTDIR) }
        return file
    }

    private static func isName(_ name: ArraySlice<UInt8>) -> Bool {
        !name.isEmpty && !name.contains(0) && !name.elementsEqual(".".utf8) && !name.elementsEqual("..".utf8)
    }

    private func openBeneath(_ path: [UInt8], _ names: [ArraySlice<UInt8>]) throws(Errno) -> OpenFile {
        var attempts = 0
        while true {
            do throws(Errno) {
                return try OpenFile(try System.open(path, below: descriptor.rawValue))
            } catch {
                switch error.rawValue {
                case ENOSYS, EPERM: return try openByNames(names)
                // Something was renamed meanwhile, so that the kernel could not be sure.
                case EAGAIN where attempts < 8: attempts += 1
                default: throw error
                }
            }
        }
    }

    private func openByNames(_ names: [ArraySlice<UInt8>]) throws(Errno) -> OpenFile {
        guard let last = names.last else { throw .notFound }
        guard let first = names.dropLast().first else {
            return try OpenFile(try System.open(name: Array(last), in: descriptor.rawValue, isLast: true))
        }
        var folder = try System.open(name: Array(first), in: descriptor.rawValue, isLast: false)
        for name in names.dropFirst().dropLast() {
            folder = try System.open(name: Array(name), in: folder.rawValue, isLast: false)
        }
        return try OpenFile(try System.open(name: Array(last), in: folder.rawValue, isLast: true))
    }
}

/// What the file system says of a file.
package struct FileFacts: Sendable, Equatable {
    package enum Kind: Sendable { case regular, folder, other }

    package var kind: Kind
    /// In bytes.
    package var size: UInt64
    package var inode: UInt64
    /// When it was last changed: seconds since 1970, UTC, and nanoseconds of the second.
    package var modifiedSeconds: Int64
    package var modifiedNanoseconds: UInt32

    package init(
        kind: Kind = .regular, size: UInt64, inode: UInt64 = 0, modifiedSeconds: Int64, modifiedNanoseconds: UInt32 = 0
    ) {
        self.kind = kind
        self.size = size
        self.inode = inode
        self.modifiedSeconds = modifiedSeconds
        self.modifiedNanoseconds = modifiedNanoseconds
    }
}

/// A file that is open for reading.
package struct OpenFile: ~Copyable, Sendable {
    private let descriptor: FileDescriptor
    /// As they were when it was opened.
    package let facts: FileFacts

    init(_ descriptor: consuming FileDescriptor) throws(Errno) {
        let status = try System.status(of: descriptor.rawValue)
        let kind: FileFacts.Kind =
            switch Int(status.kind) {
            case SLUICE_FILE_REGULAR: .regular
            case SLUICE_FILE_FOLDER: .folder
            default: .other
            }
        facts = FileFacts(
            kind: kind, size: status.size, inode: status.inode, modifiedSeconds: status.modified_seconds,
            modifiedNanoseconds: status.modified_nanoseconds)
        self.descriptor = descriptor
    }

    /// Reads some bytes from a place of the file. `.end`: it is not that long (any more).
    package func read(at place: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
        unsafe System.read(descriptor.rawValue, at: place, into: buffer)
    }
}

extension Errno {
    /// What a client is told of a file that could not be opened, as an HTTP status.
    package var fileStatus: UInt16 {
        switch rawValue {
        // EXDEV: the path leads out of the folder. ENXIO, ENODEV: a socket, a device without a driver.
        case ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EXDEV, ENXIO, ENODEV: 404
        case EACCES, EPERM: 403
        case EMFILE, ENFILE, ENOMEM, EAGAIN: 503
        default: 500
        }
    }
}
