/// What one worker counts: plain integers on its own thread, summed when somebody asks.
struct Counters: Sendable, Equatable {
    var accepted: UInt64 = 0
    var requests: UInt64 = 0
    var published: UInt64 = 0
    /// Runs of events written to a subscriber, whole or in part.
    var deliveries: UInt64 = 0
    var resumed: UInt64 = 0
    var gaps: UInt64 = 0
    /// Streams ended because their subscriber fell too far behind.
    var endedOverflow: UInt64 = 0
    /// Subscribers that fell too far behind and went on without some events (`skip`), or with the newest ones (`latest`).
    var skipped: UInt64 = 0
    var conflated: UInt64 = 0
    /// Streams ended for their age.
    var endedAge: UInt64 = 0
    /// Connections reset because the peer took nothing for the write timeout.
    var endedWriteTimeout: UInt64 = 0
    /// Heads that did not arrive in time.
    var headTimeouts: UInt64 = 0
    /// Requests or connections refused at a limit.
    var refused: UInt64 = 0
    /// Times that accepting had to pause for lack of descriptors.
    var exhausted: UInt64 = 0
    var badRequests: UInt64 = 0
    /// Connections closed because who connected may not name clients (PROXY protocol).
    var untrustedProxies: UInt64 = 0
    /// Connections closed because no proper header of the PROXY protocol came.
    var badProxyHeaders: UInt64 = 0
    var tlsFailures: UInt64 = 0
    /// Bytes of feeds that were not UTF-8, in events.
    var repairedEvents: UInt64 = 0
    var oversizedEvents: UInt64 = 0
    var feeds = FeedCounters()
    var commands = CommandCounters()

    static func + (left: Counters, right: Counters) -> Counters {
        var sum = left.adding(right)
        sum.feeds = left.feeds + right.feeds
        sum.commands = left.commands + right.commands
        return sum
    }
}

extension Counters: Summed {
    static var fields: [WritableKeyPath<Counters, UInt64>] {
        [
            \.accepted, \.requests, \.published, \.deliveries, \.resumed, \.gaps, \.endedOverflow, \.skipped,
            \.conflated, \.endedAge, \.endedWriteTimeout, \.headTimeouts, \.refused, \.exhausted, \.badRequests,
            \.untrustedProxies, \.badProxyHeaders, \.tlsFailures, \.repairedEvents, \.oversizedEvents,
        ]
    }
}
