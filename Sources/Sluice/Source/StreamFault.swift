internal import SluiceTLS

/// Why a stream is over, or why there is none: the cause, what follows from it, and the words for a person.
struct StreamFault: Error, Sendable, Equatable, CustomStringConvertible {
    let cause: FeedFault
    let outcome: FeedSchedule.Outcome
    let description: String
    /// The status of an answer that was no stream.
    let status: UInt16?

    init(
        _ cause: FeedFault, _ description: String, outcome: FeedSchedule.Outcome = .failed, status: UInt16? = nil
    ) {
        self.cause = cause
        self.status = status
        self.description = description
        self.outcome = outcome
    }

    /// Bytes no longer flow.
    /// - Parameter streaming: whether a stream had begun.
    init(_ error: TransportError, streaming: Bool) {
        switch error {
        case .system: self.init(streaming ? .cut : .connect, "\(error)")
        case .tls(let error): self.init(error, streaming: streaming)
        }
    }

    init(_ error: TLSError, streaming: Bool = false) {
        switch error.kind {
        case .certificateRefused, .clientCertificate, .file: self.init(.certificate, "\(error)")
        case .truncated where streaming: self.init(.cut, "\(error)")
        default: self.init(.tls, "\(error)")
        }
    }
}
