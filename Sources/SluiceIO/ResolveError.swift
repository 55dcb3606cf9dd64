/// Why a name has no address.
package enum ResolveError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no such name, or it has no address.
    case notFound
    /// The name servers did not answer, or asked to be tried again.
    case temporary
    /// The deadline passed.
    case timedOut
    /// Too many look-ups wait.
    case busy
    /// The text cannot be a host's name.
    case invalidName
    /// The resolver was stopped.
    case stopped
    /// What the system said.
    case failed(String)

    package var description: String {
        switch self {
        case .notFound: "no such host"
        case .temporary: "name server did not answer"
        case .timedOut: "name look-up took too long"
        case .busy: "too many name look-ups"
        case .invalidName: "not a host name"
        case .stopped: "the resolver was stopped"
        case .failed(let text): "name look-up failed: \(text)"
        }
    }
}
