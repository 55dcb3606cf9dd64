internal import SluiceSSE

/// Which id goes out with an event of a feed, so that whoever reads it after the standard has the same last event id as
/// somebody who reads the feed itself: an id may also come without data, and an empty one takes back what was there.
struct CarriedID: Sendable {
    /// What a reader has after all that was published; `nil`: not known.
    private var known: [UInt8]? = []

    /// The id to publish with this event: empty, one that takes the reader's back; `nil`, none.
    mutating func take(_ event: ParsedEvent) -> [UInt8]? {
        let isChanged = known.map { $0 != event.lastEventID } ?? false
        guard event.hasOwnID || isChanged else { return nil }
        known = event.lastEventID
        return event.lastEventID
    }

    /// An event was dropped that came again. Its id is an old one and must not go on to an event behind it.
    mutating func droppedDuplicate() { known = nil }
}
