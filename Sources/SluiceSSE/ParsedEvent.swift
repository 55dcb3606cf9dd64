/// An event as a reader gets it.
public struct ParsedEvent: Sendable, Hashable {
    /// The text as UTF-8, its lines separated by LF.
    public var data: [UInt8]
    /// The type as UTF-8; empty means `message`.
    public var type: [UInt8]
    /// The last event id as UTF-8: this event's own, else that of an earlier one; empty when there is none.
    public var lastEventID: [UInt8]
    /// Whether the event had an `id` field of its own, which may be empty.
    public var hasOwnID: Bool
    /// Whether data, type or its own id held invalid UTF-8, which was replaced by U+FFFD.
    public var wasRepaired: Bool

    /// An event.
    public init(
        data: [UInt8], type: [UInt8] = [], lastEventID: [UInt8] = [], hasOwnID: Bool = false, wasRepaired: Bool = false
    ) {
        self.data = data
        self.type = type
        self.lastEventID = lastEventID
        self.hasOwnID = hasOwnID
        self.wasRepaired = wasRepaired
    }
}
