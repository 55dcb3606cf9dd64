internal import SluiceIO
internal import SluiceTLS

/// Why bytes no longer flow.
enum TransportError: Error, CustomStringConvertible {
    case system(Errno)
    case tls(TLSError)

    var description: String {
        switch self {
        case .system(let errno): "\(errno)"
        case .tls(let error): "\(error)"
        }
    }
}
