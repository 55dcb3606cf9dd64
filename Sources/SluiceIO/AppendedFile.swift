/// A file that lines are appended to, or standard output. What a file stands for may be renamed meanwhile, as rotation
/// does it: then the path is opened again.
package struct AppendedFile: ~Copyable, Sendable {
    /// Where lines go.
    package enum Place: Sendable, Equatable, CustomStringConvertible {
        case standardOutput
        case path(String)

        package var description: String {
            switch self {
            case .standardOutput: "standard output"
            case .path(let path): path
            }
        }
    }

    /// What became of bytes that were to be appended.
    package enum Outcome: Equatable, Sendable {
        case written
        /// So many were, and then it was told to wait no longer.
        case gaveUp(written: Int)
        /// So many were, then this happened.
        case failed(Errno, written: Int)
    }

    private let place: Place
    private var descriptor: FileDescriptor
    private var identity: FileIdentity
    private var isRegular: Bool

    /// As much as a pipe that is ready takes without waiting (POSIX, PIPE_BUF).
    private static let pipeRoom = 4096
    private static let patienceMilliseconds: Int32 = 50

    /// Opens a file, made with mode 0640 where it is missing.
    package init(_ place: Place) throws(Errno) {
        let descriptor =
            switch place {
            case .standardOutput: try System.duplicate(1)
            case .path(let path): try System.openToAppend(path)
            }
        let (kind, identity) = try System.kind(of: descriptor.rawValue)
        self.place = place
        self.descriptor = descriptor
        self.identity = identity
        isRegular = kind == .regular
    }

    /// Opens the path again. What was open stays in use where that fails.
    package mutating func reopen() throws(Errno) {
        guard place != .standardOutput else { return }
        self = try AppendedFile(place)
    }

    /// Opens the path again if it stands for another file than the one that is open, or for none.
    package mutating func reopenIfMoved() throws(Errno) {
        guard case .path(let path) = place, isRegular else { return }
        if let found = try? System.kind(ofPath: path), found.identity == identity { return }
        try reopen()
    }

    /// Appends bytes, to a file in one call as long as it takes them. A pipe that is full is waited for.
    /// - Parameter mayWait: asked now and then while nothing is taken.
    package func append(_ bytes: [UInt8], mayWait: () -> Bool) -> Outcome {
        unsafe bytes.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count {
                guard isRegular || isReady() else {
                    if mayWait() { continue }
                    return .gaveUp(written: written)
                }
                let end = isRegular ? bytes.count : min(bytes.count, written + AppendedFile.pipeRoom)
                let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[written..<end])
                switch unsafe System.write(descriptor.rawValue, part) {
                case .bytes(let count) where count > 0: written += count
                // A file that takes nothing and says no reason would be asked for ever.
                case .bytes, .end: return .failed(.noSpace, written: written)
                case .wouldBlock: if !mayWait() { return .gaveUp(written: written) }
                case .failed(let errno): return .failed(errno, written: written)
                }
            }
            return .written
        }
    }

    private func isReady() -> Bool {
        System.waitUntilWritable(descriptor.rawValue, timeoutMilliseconds: AppendedFile.patienceMilliseconds)
    }
}

/// Folders that files are to be made in.
package enum NamedFolder {
    /// Whether there is one at this path.
    package static func exists(_ path: String) -> Bool { (try? System.kind(ofPath: path))?.kind == .folder }
}
