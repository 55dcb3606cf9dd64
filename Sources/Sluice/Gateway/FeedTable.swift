internal import SluiceIO

/// The feeds that run on one worker, by the index in their tokens and by what they are for.
///
/// No index is given twice, so nothing that is late (an event of a socket, a timer, an address) reaches a feed that it
/// was not meant for.
struct FeedTable {
    /// A feed and what its worker keeps beside it.
    final class Slot {
        let feed: UpstreamFeed
        let place: FeedAssignment.Place
        let isInstance: Bool
        /// For the end of its linger, or to look for a seat again.
        var timer: TimerWheel.ID?
        /// It waits for its turn to connect.
        var isQueued = false
        /// It found no seat and looks for one again then.
        var seatAt: UInt64?
        /// One of all upstream connections is its own.
        var hasSeat = false

        init(_ feed: UpstreamFeed, _ assigned: FeedAssignment.Feed) {
            self.feed = feed
            place = assigned.place
            isInstance = assigned.isInstance
        }
    }

    /// A feed that asked for an address.
    struct Waiting {
        let feed: UInt32
        let attempt: UInt64
    }

    private var slots: [UInt32: Slot] = [:]
    private var places: [FeedAssignment.Place: UInt32] = [:]
    private var last: UInt32 = 0

    var count: Int { slots.count }

    var all: [Slot] { Array(slots.values) }

    subscript(index: UInt32) -> Slot? { slots[index] }

    subscript(place: FeedAssignment.Place) -> Slot? { places[place].flatMap { slots[$0] } }

    /// The index of the next feed; never 0.
    mutating func nextIndex() -> UInt32 {
        repeat { last &+= 1 } while last == 0 || slots[last] != nil
        return last
    }

    mutating func insert(_ slot: Slot) {
        slots[slot.feed.index] = slot
        places[slot.place] = slot.feed.index
    }

    mutating func remove(_ slot: Slot) {
        slots[slot.feed.index] = nil
        places[slot.place] = nil
    }
}

/// A host whose addresses are asked for, and the port that they are wanted with.
struct HostLookup: Sendable, Hashable {
    let host: String
    let port: UInt16
}
