/// An open file descriptor with one owner: leaving its scope closes it, so it is neither leaked nor closed twice.
package struct FileDescriptor: ~Copyable, Sendable {
    /// The number the kernel knows. Valid as long as this value lives.
    package let rawValue: Int32

    /// Takes ownership of an open descriptor.
    package init(owning rawValue: Int32) { self.rawValue = rawValue }

    deinit { System.close(rawValue) }

    /// Gives the descriptor up without closing it.
    package consuming func release() -> Int32 {
        let rawValue = rawValue
        discard self
        return rawValue
    }
}

/// The outcome of one read or write. That a socket would block is an ordinary answer, not an error.
package enum IOResult: Equatable, Sendable {
    /// So many bytes went through; more than zero (zero only for a write of nothing).
    case bytes(Int)
    case wouldBlock
    /// Read only: the peer sent its last byte.
    case end
    case failed(Errno)
}
