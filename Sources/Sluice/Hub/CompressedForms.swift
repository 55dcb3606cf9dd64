/// What an event is for streams that are compressed, made once and kept in its topic's log beside it.
///
/// Nothing in it changes: whoever adds to it puts another one in its place.
final class CompressedForms: Sendable {
    /// The event in its topic's running window.
    struct Piece: Sendable {
        let event: EncodedEvent
        /// Counts a topic's windows, from 1.
        let window: UInt32
        /// It refers to nothing before it: any stream may take it, and is in the window then.
        let isRestart: Bool
    }

    /// Where an event stands in its topic's text.
    struct Span: Sendable {
        let start: TextMark
        let end: TextMark
    }

    /// The event by itself, which any stream may take at any time.
    let block: EncodedEvent?
    let piece: Piece?
    /// `nil` where no stream of this topic alone has come by.
    let span: Span?

    init(block: EncodedEvent?, piece: Piece?, span: Span?) {
        self.block = block
        self.piece = piece
        self.span = span
    }

    /// The memory that it takes.
    var cost: Int { 112 + (block?.cost ?? 0) + (piece?.event.cost ?? 0) }
}
