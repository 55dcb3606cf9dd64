internal import Synchronization

/// How many files all workers may have open at once, so that clients who take none of theirs leave descriptors for
/// everything else.
final class FileSeats: Sendable {
    let limit: Int
    private let taken = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    /// - Returns: `nil` when all are taken. A seat is given back when it goes.
    func take() -> FileSeat? {
        guard taken.add(1, ordering: .relaxed).newValue <= limit else {
            give()
            return nil
        }
        return FileSeat(of: self)
    }

    fileprivate func give() { taken.subtract(1, ordering: .relaxed) }
}

/// One open file's part of the limit.
struct FileSeat: ~Copyable {
    private let seats: FileSeats

    fileprivate init(of seats: FileSeats) { self.seats = seats }

    deinit { seats.give() }
}
