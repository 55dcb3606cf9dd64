/// How many lines of somebody else's may be logged: a few at once, then some every second. Time is given.
struct LineBudget: Sendable {
    static let atOnce: UInt64 = 20
    static let millisecondsPerLine: UInt64 = 200

    private var left = atOnce
    private var filledAt: UInt64 = 0
    /// Lines that were left out since the last one that was not.
    private var leftOut: UInt64 = 0

    /// Asks for one line.
    /// - Returns: how many were left out before it; `nil`: it is left out too.
    mutating func take(at now: UInt64) -> UInt64? {
        if left == Self.atOnce { filledAt = now }
        let earned = (max(now, filledAt) &- filledAt) / Self.millisecondsPerLine
        left = min(Self.atOnce, left &+ min(earned, Self.atOnce))
        filledAt &+= earned &* Self.millisecondsPerLine
        guard left > 0 else {
            leftOut &+= 1
            return nil
        }
        left &-= 1
        return takeLeftOut()
    }

    /// How many lines were left out and not yet told of.
    mutating func takeLeftOut() -> UInt64 {
        defer { leftOut = 0 }
        return leftOut
    }
}
