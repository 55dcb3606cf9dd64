/// Whether a feed is to be connected: said by the use of its topics and by time. A value: both go in, what to do comes
/// out.
struct FeedDemand: Sendable, Equatable {
    /// What to do now.
    enum Action: Equatable {
        case connect
        /// The last subscriber left `linger` ago.
        case disconnect
    }

    /// Connected only while it is used, and `linger` after that; else always.
    let isOnDemand: Bool
    let lingerMilliseconds: UInt64
    /// The last action was `connect`.
    private(set) var isWanted = false
    /// When to look again, whatever happens until then; `nil`: only when the use changes.
    private(set) var deadline: UInt64?

    init(isOnDemand: Bool, lingerMilliseconds: UInt64) {
        self.isOnDemand = isOnDemand
        self.lingerMilliseconds = lingerMilliseconds
    }

    /// Decides, at the beginning, when the use changes and at the deadline. Asking more often changes nothing.
    /// - Parameter isUsed: whether any of the feed's topics has a subscriber, on any worker.
    mutating func look(isUsed: Bool, at now: UInt64) -> Action? {
        if isUsed || !isOnDemand {
            deadline = nil
            guard !isWanted else { return nil }
            isWanted = true
            return .connect
        }
        guard isWanted else { return nil }
        let end = deadline ?? now &+ lingerMilliseconds
        guard end <= now else {
            deadline = end
            return nil
        }
        deadline = nil
        isWanted = false
        return .disconnect
    }
}
