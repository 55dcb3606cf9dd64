internal import SluiceHTTP

/// Whether a request that failed at one server may be tried again (RFC 9110, section 9.2.2).
struct RetryRule: Sendable, Equatable {
    /// How many more attempts there are.
    private(set) var left: Int
    /// Sent twice it does no more than once.
    let isIdempotent: Bool

    init(method: HTTPMethod, retries: Int) {
        left = max(0, retries)
        switch method {
        case .get, .head, .options, .trace, .put, .delete: isIdempotent = true
        case .post, .patch, .connect, .other: isIdempotent = false
        }
    }

    /// How far an attempt came.
    struct Progress: Equatable {
        /// Some of the request was written to the server.
        var wasSent = false
        /// Some of the body was taken from the client: it cannot be had again.
        var bodyWasTaken = false
        /// The client was told something.
        var wasAnswered = false
    }

    /// Takes one attempt.
    /// - Parameter isFree: it is not one of those that may be made: a kept connection was stale, which its server is
    ///   free to do. The next attempt gets a new one, so that this happens once.
    mutating func mayRetry(after progress: Progress, isFree: Bool = false) -> Bool {
        guard isFree || left > 0, !progress.wasAnswered, !progress.bodyWasTaken, !progress.wasSent || isIdempotent
        else {
            return false
        }
        if !isFree { left -= 1 }
        return true
    }
}
