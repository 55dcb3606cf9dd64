import SluiceSSE
import SluiceTestSupport

/// An event as text.
typealias Got = Conformance.Event

extension Conformance.Event {
    init(_ event: ParsedEvent) {
        self.init(
            String(decoding: event.data, as: UTF8.self),
            type: event.type.isEmpty ? "message" : String(decoding: event.type, as: UTF8.self),
            id: String(decoding: event.lastEventID, as: UTF8.self))
    }
}
