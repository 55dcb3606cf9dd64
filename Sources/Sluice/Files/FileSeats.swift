internal import Synchronization

/// How many files all workers may have open at once, so that clients who take none of theirs leave descriptors for
/// everything else. Of these one client may keep a part, so that the others have some.
final class FileSeats: Sendable {
    let limit: Int
    private let taken = Atomic<Int>(0)
    private let shares: StreamSeats

    init(limit: Int) {
        self.limit = limit
        shares = StreamSeats(most: max(1, limit / 4))
    }

    /// - Returns: `nil` when all are taken. A seat is given back when it goes.
    func take() -> FileSeat? {
        guard taken.add(1, ordering: .relaxed).newValue <= limit else {
            give()
            return nil
        }
        return FileSeat(of: self)
    }

    fileprivate func give() { taken.subtract(1, ordering: .relaxed) }

    fileprivate func share(_ client: LimitKey) -> StreamSeat? { shares.take(client) }
}

/// One open file's part of the limit.
struct FileSeat: ~Copyable {
    private let seats: FileSeats
    private var share: StreamSeat?

    fileprivate init(of seats: FileSeats) { self.seats = seats }

    deinit {
        share?.leave()
        seats.give()
    }

    /// Counts it as its client's. To be asked before the seat is kept for as long as the client likes.
    /// - Returns: whether it is, also from before; else the client has all of its part.
    mutating func keep(for client: @autoclosure () -> LimitKey) -> Bool {
        if share == nil { share = seats.share(client()) }
        return share != nil
    }
}
