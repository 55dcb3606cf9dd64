/// Why a stream of an upstream, or the attempt at one, is over.
enum FeedFault: Int, Sendable, CaseIterable {
    /// The name has no address.
    case lookup
    /// No address takes a connection, or a connection broke before it carried anything.
    case connect
    /// The TLS handshake or session failed.
    case tls
    /// The certificate is not accepted: expired, for another name, of an unknown authority. Or ours cannot be used.
    case certificate
    /// The answer is no HTTP.
    case http
    /// A status that is tried again.
    case status
    /// 401, 403, 404, 410.
    case refused
    /// 204: the polite stop.
    case stopped
    /// Not `text/event-stream`.
    case mediaType
    /// A content coding that is not known, or content that is not what it claims to be.
    case coding
    /// A redirect that cannot be followed.
    case redirect
    /// Nothing came for too long.
    case timeout
    /// The stream was cut in the middle.
    case cut
    /// The stream ended properly.
    case ended
}

/// What one worker's feeds count.
struct FeedCounters: Sendable, Equatable {
    /// Streams that began.
    var connected: UInt64 = 0
    /// Events handed to the hub.
    var events: UInt64 = 0
    /// Events left out by their type (`events: {include, exclude}`).
    var filtered: UInt64 = 0
    /// Events dropped because the upstream sent them again after a reconnect.
    var duplicates: UInt64 = 0
    /// Times that reading had to wait until the hub took events again.
    var paused: UInt64 = 0
    /// Redirects followed.
    var redirected: UInt64 = 0
    private var faults = [UInt64](repeating: 0, count: FeedFault.allCases.count)

    /// How often connections and attempts ended for this reason.
    subscript(fault: FeedFault) -> UInt64 { faults[fault.rawValue] }

    mutating func count(_ fault: FeedFault) { faults[fault.rawValue] &+= 1 }

    static func + (left: FeedCounters, right: FeedCounters) -> FeedCounters {
        var sum = left.adding(right)
        for fault in FeedFault.allCases { sum.faults[fault.rawValue] &+= right[fault] }
        return sum
    }
}

extension FeedCounters: Summed {
    static var fields: [WritableKeyPath<FeedCounters, UInt64>] {
        [\.connected, \.events, \.filtered, \.duplicates, \.paused, \.redirected]
    }
}
