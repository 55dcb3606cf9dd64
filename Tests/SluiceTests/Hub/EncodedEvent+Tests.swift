@testable import Sluice

extension EncodedEvent {
    /// An event by itself.
    init(_ draft: EventDraft, _ form: EventForm, epoch: [UInt8]) {
        var text: [UInt8] = []
        self = EncodedEvent.make(draft, form, epoch: epoch, text: &text)
    }
}
