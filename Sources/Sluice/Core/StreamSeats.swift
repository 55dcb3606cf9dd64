internal import Synchronization

/// How many streams each client has open, over all workers. It holds no client that has none.
package final class StreamSeats: Sendable {
    private let most: Int
    private let taken = Mutex<[LimitKey: Int]>([:])

    package init(most: Int) { self.most = most }

    /// Takes a seat, to be left exactly once.
    /// - Returns: `nil` when the client has all of its own.
    package func take(_ key: LimitKey) -> StreamSeat? {
        let isFree = taken.withLock { taken in
            let count = taken[key, default: 0]
            guard count < most else { return false }
            taken[key] = count + 1
            return true
        }
        return isFree ? StreamSeat(of: self, key) : nil
    }

    /// How many clients have streams.
    package var clients: Int { taken.withLock { $0.count } }

    fileprivate func leave(_ key: LimitKey) {
        taken.withLock { taken in
            guard let count = taken[key] else { return }
            taken[key] = count > 1 ? count - 1 : nil
        }
    }
}

/// One stream's part of its client's limit.
package final class StreamSeat {
    private let seats: StreamSeats
    private let key: LimitKey

    fileprivate init(of seats: StreamSeats, _ key: LimitKey) {
        self.seats = seats
        self.key = key
    }

    /// Gives it back.
    package func leave() { seats.leave(key) }
}
