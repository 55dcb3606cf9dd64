internal import CLinux
internal import Glibc

/// A kernel error number, with the words for it.
package struct Errno: Error, Hashable, Sendable, CustomStringConvertible {
    /// The number as `errno(3)` defines it; always positive.
    package let rawValue: Int32

    /// Wraps an error number.
    @inlinable package init(_ rawValue: Int32) { self.rawValue = rawValue }

    package static let interrupted = Errno(EINTR)
    package static let wouldBlock = Errno(EAGAIN)
    package static let inProgress = Errno(EINPROGRESS)
    package static let badDescriptor = Errno(EBADF)
    package static let badAddress = Errno(EFAULT)
    package static let invalid = Errno(EINVAL)
    package static let notFound = Errno(ENOENT)
    package static let notPermitted = Errno(EPERM)
    package static let accessDenied = Errno(EACCES)
    package static let noMemory = Errno(ENOMEM)
    package static let noBuffers = Errno(ENOBUFS)
    package static let processDescriptors = Errno(EMFILE)
    package static let systemDescriptors = Errno(ENFILE)
    package static let addressInUse = Errno(EADDRINUSE)
    package static let addressNotAvailable = Errno(EADDRNOTAVAIL)
    package static let familyNotSupported = Errno(EAFNOSUPPORT)
    package static let operationNotSupported = Errno(EOPNOTSUPP)
    package static let nameTooLong = Errno(ENAMETOOLONG)
    package static let connectionRefused = Errno(ECONNREFUSED)
    package static let connectionReset = Errno(ECONNRESET)
    package static let connectionAborted = Errno(ECONNABORTED)
    package static let brokenPipe = Errno(EPIPE)
    package static let noSpace = Errno(ENOSPC)
    package static let timedOut = Errno(ETIMEDOUT)
    package static let hostUnreachable = Errno(EHOSTUNREACH)
    package static let networkUnreachable = Errno(ENETUNREACH)

    /// The system's sentence and the constant's name: `Connection refused (ECONNREFUSED)`.
    package var description: String {
        let text = unsafe sluice_error_text(rawValue).map { unsafe String(cString: $0) } ?? "Unknown error"
        let name = unsafe sluice_error_name(rawValue).map { unsafe String(cString: $0) } ?? "errno \(rawValue)"
        return "\(text) (\(name))"
    }

    /// What `accept4(2)` may answer because of one connection, or of the network; the listener itself is well.
    var isOfOneConnection: Bool {
        switch rawValue {
        case ECONNABORTED, EPROTO, EPERM, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, ENETUNREACH,
            EOPNOTSUPP, ETIMEDOUT:
            true
        default: false
        }
    }

    /// A connection was not begun for want of something on this machine: a descriptor, memory, or a port towards that
    /// address. It says nothing of the other side.
    package var isOfThisMachine: Bool { isExhaustion || rawValue == EADDRNOTAVAIL }

    /// Descriptors or kernel memory ran out: it passes, and must not be answered by trying at once again.
    package var isExhaustion: Bool {
        switch rawValue {
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: true
        default: false
        }
    }
}
