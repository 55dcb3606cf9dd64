internal import SluiceHTTP
internal import Synchronization

/// A compressor that remembers what went through it. It takes as much memory as a thousand events, so that all topics
/// together have so many seats for one.
final class TopicWindow {
    /// Who has one, of all that may be had.
    final class Seats: Sendable {
        private let taken = Atomic<Int>(0)
        private let limit: Int

        init(limit: Int) { self.limit = limit }

        /// The memory that all windows take.
        var bytes: Int { taken.load(ordering: .relaxed) * TopicWindow.cost }

        fileprivate func take() -> Bool {
            let isFree = taken.add(1, ordering: .relaxed).newValue <= limit
            if !isFree { giveBack() }
            return isFree
        }

        fileprivate func giveBack() { taken.subtract(1, ordering: .relaxed) }
    }

    // Made once for all subscribers, so that the most that zlib can do costs little for each of them.
    private static let level: Int32 = 9
    private static let memoryLevel: Int32 = 8
    /// The memory of one.
    static let cost = Deflater.memory(level: memoryLevel)

    let deflater: Deflater
    private let seats: Seats

    /// `nil` when there is no seat, or no memory.
    init?(_ seats: Seats) {
        guard seats.take() else { return nil }
        guard let deflater = try? Deflater(level: TopicWindow.level, memoryLevel: TopicWindow.memoryLevel) else {
            seats.giveBack()
            return nil
        }
        self.deflater = deflater
        self.seats = seats
    }

    deinit { seats.giveBack() }
}
