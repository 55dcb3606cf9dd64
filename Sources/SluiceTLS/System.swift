import Glibc

// What this room wants of the system besides OpenSSL: files, the host's name, addresses as text.

/// What tells one state of a file from another without reading it. A replaced symbolic link has another inode.
struct FileIdentity: Equatable, Sendable {
    let device: UInt64
    let inode: UInt64
    let size: Int64
    let seconds: Int64
    let nanoseconds: Int64

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        seconds = Int64(status.st_mtim.tv_sec)
        nanoseconds = Int64(status.st_mtim.tv_nsec)
    }

    /// nil where the file cannot be looked at.
    init?(path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        self.init(status)
    }
}

/// A whole file, and its identity as it was when it was opened. Certificates are small: over 4 MiB it is refused.
func readFile(_ path: String) throws(TLSError) -> (bytes: [UInt8], identity: FileIdentity) {
    let limit = 4 << 20
    let descriptor = retrying { unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else { throw systemError("cannot be read", path) }
    defer { Glibc.close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw systemError("cannot be read", path) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw TLSError(.file, "is not a file", file: path) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16 * 1024)
    while true {
        let count = retrying { unsafe Glibc.read(descriptor, &buffer, buffer.count) }
        guard count >= 0 else { throw systemError("cannot be read", path) }
        if count == 0 { break }
        bytes.append(contentsOf: buffer.prefix(count))
        guard bytes.count <= limit else { throw TLSError(.file, "is too large for a certificate or key", file: path) }
    }
    guard !bytes.isEmpty else { throw TLSError(.file, "is empty", file: path) }
    return (bytes, FileIdentity(status))
}

/// Whole or not at all: written beside its place, flushed, then renamed over it. `mode` holds from the first byte on.
func writeFileAtomically(_ path: String, _ bytes: [UInt8], mode: mode_t) throws(TLSError) {
    let temporary = "\(path).new.\(getpid())"
    unsafe unlink(temporary)
    let descriptor = retrying { unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode) }
    guard descriptor >= 0 else { throw systemError("cannot be written", path) }
    var written = 0
    while written < bytes.count {
        let count = retrying {
            unsafe bytes.withUnsafeBytes { all in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: all[written...])
                return unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
            }
        }
        guard count > 0 else { break }
        written += count
    }
    let isFlushed = written == bytes.count && fsync(descriptor) == 0
    let isClosed = Glibc.close(descriptor) == 0
    guard isFlushed, isClosed, unsafe rename(temporary, path) == 0 else {
        let error = systemError("cannot be written", path)
        unsafe unlink(temporary)
        throw error
    }
}

/// Makes a folder and those above it where they are missing.
func makeFolder(_ path: String) throws(TLSError) {
    if unsafe mkdir(path, 0o755) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
        throw systemError("cannot be made", path)
    }
    try makeFolder(String(path[..<slash]))
    guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else { throw systemError("cannot be made", path) }
}

/// Runs `body` while no other process is inside the same folder's lock, so that a pair of files stays a pair.
func withFolderLocked<Result>(
    _ path: String, _ body: () throws(TLSError) -> Result
) throws(TLSError) -> Result {
    let descriptor = retrying { unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw systemError("is no folder that can be used", path) }
    defer { Glibc.close(descriptor) }
    guard retrying({ flock(descriptor, LOCK_EX) }) == 0 else { throw systemError("cannot be locked", path) }
    return try body()
}

/// Missing is the one state that is no error; whatever else is wrong with a file is said when it is read.
func fileIsMissing(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) != 0 && errno == ENOENT
}

func hostName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Four or sixteen bytes where `text` is an IP address, else nil.
func addressBytes(_ text: String) -> [UInt8]? {
    guard !text.utf8.contains(0) else { return nil }
    for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
        var bytes = [UInt8](repeating: 0, count: count)
        if unsafe inet_pton(family, text, &bytes) == 1 { return bytes }
    }
    return nil
}

private func retrying<Number: SignedInteger>(_ call: () -> Number) -> Number {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}

private func systemError(_ what: String, _ path: String) -> TLSError {
    let number = errno
    let reason = unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
    return TLSError(.file, what, file: path, reason: reason)
}
