/// Spreads the first connects of one worker's feeds: a thousand instances that appear at once are no thousand handshakes
/// at once. A value: feeds and the time go in, those whose turn it is come out.
struct ConnectQueue: Sendable {
    /// So many begin at once after a rest.
    static let burst: UInt64 = 64
    /// After them one each so often: 500 in a second.
    static let intervalMilliseconds: UInt64 = 2

    private var waiting: [UInt32] = []
    /// Those before it had their turn.
    private var first = 0
    /// When the next one would begin if there were no bursts.
    private var paced: UInt64 = 0

    private static let tolerance = (burst - 1) * intervalMilliseconds

    var isEmpty: Bool { first == waiting.count }

    /// When the next one has its turn; `nil`: none waits.
    var nextTime: UInt64? { isEmpty ? nil : paced - min(paced, Self.tolerance) }

    mutating func add(_ feed: UInt32) { waiting.append(feed) }

    /// The next feed, if it is time for one. Those that are no longer wanted cost no time.
    mutating func take(at now: UInt64, isWanted: (UInt32) -> Bool) -> UInt32? {
        while let time = nextTime {
            let feed = waiting[first]
            if isWanted(feed), time > now { return nil }
            first += 1
            if first == waiting.count || first >= 1024 {
                waiting.removeFirst(first)
                first = 0
            }
            guard isWanted(feed) else { continue }
            paced = max(paced, now) &+ Self.intervalMilliseconds
            return feed
        }
        return nil
    }
}
