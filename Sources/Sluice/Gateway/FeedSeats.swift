internal import Synchronization

/// How many feeds of all workers may be connected at once.
final class FeedSeats: Sendable {
    let limit: Int
    private let taken = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    /// - Returns: whether there was a seat, which is given back with `give`.
    func take() -> Bool {
        if taken.add(1, ordering: .relaxed).newValue <= limit { return true }
        give()
        return false
    }

    func give() { taken.subtract(1, ordering: .relaxed) }
}
