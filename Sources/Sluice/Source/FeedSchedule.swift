/// When a feed connects again. A value: outcomes go in, delays come out; chance and time are given.
struct FeedSchedule: Sendable {
    /// How a connection, or the attempt at one, ended.
    enum Outcome: Equatable, Sendable {
        /// Not connected, broken, cut, 5xx, a wrong media type: comes again with backoff.
        case failed
        /// The response ended properly. Where it delivered an event that is no failure: load balancers cut every 30 to
        /// 55 s.
        case endedCleanly
        /// 401, 403, 404, 410.
        case refused
        /// 429 or 503 with Retry-After.
        case later(milliseconds: UInt64)
        /// 204: the polite stop.
        case stopped
    }

    private let retry: FeedRetry
    /// `retry:` of the upstream, clamped.
    private var base: UInt64
    private var failures = 0
    private var goodSince: UInt64?
    private var hadEvent = false

    init(_ retry: FeedRetry) {
        self.retry = retry
        base = min(max(1, retry.initial.milliseconds), 3_600_000)
    }

    /// The upstream asked for another reconnection time.
    mutating func setBase(milliseconds: UInt64) { base = min(max(milliseconds, 100), 3_600_000) }

    /// An event or a comment came: the state is good from the first one on.
    mutating func received(event: Bool, at now: UInt64) {
        if goodSince == nil { goodSince = now }
        if event { hadEvent = true }
    }

    /// The delay until the next attempt; `nil`: none.
    /// - Parameter chance: 0 to 1.
    mutating func delay(after outcome: Outcome, at now: UInt64, chance: Double) -> UInt64? {
        let wasGood = goodSince.map { now &- $0 >= retry.resetAfter.milliseconds } ?? false
        if wasGood || (outcome == .endedCleanly && hadEvent) { failures = 0 }
        goodSince = nil
        hadEvent = false
        switch outcome {
        case .stopped: return nil
        // Not sooner than the backoff: a program or an upstream that says 0 would have it ask without a pause.
        case .refused: return max(shortened(retry.refused.milliseconds, chance), backoff(chance))
        case .later(let milliseconds): return max(min(milliseconds, 3_600_000), backoff(chance))
        case .failed, .endedCleanly: return backoff(chance)
        }
    }

    private mutating func backoff(_ chance: Double) -> UInt64 {
        let maximum = max(retry.maximum.milliseconds, base)
        let doubled =
            failures >= 32 ? maximum : base.multipliedReportingOverflow(by: 1 << UInt64(failures)).partialValue
        failures = min(failures + 1, 32)
        return shortened(min(maximum, max(base, doubled)), chance)
    }

    private func shortened(_ delay: UInt64, _ chance: Double) -> UInt64 {
        // Neither is what is no number: an embedder may set anything.
        let jitter = retry.jitter > 0 ? min(retry.jitter, 1) : 0
        let part = jitter * min(max(chance, 0), 1)
        return max(1, UInt64(Double(min(delay, 1 << 40)) * (1 - part)))
    }
}
