internal import SluiceSSE

/// The events in a command's output.
struct CommandReader: Sendable {
    enum Item: Equatable, Sendable {
        case event(EventDraft, wasRepaired: Bool)
        /// Something that shows life: a comment.
        case life
        case retry(milliseconds: UInt64)
        /// Something over a limit was dropped.
        case dropped
    }

    private enum Kind: Sendable {
        case lines(LineReader, type: [UInt8])
        case stream(EventParser)
    }
    private var kind: Kind
    /// For a stream.
    private var carried = CarriedID()

    init(_ options: CommandOptions, limits: Limits) {
        switch options.format.kind {
        case .lines:
            kind = .lines(LineReader(limit: limits.feedLine), type: options.event.map { Array($0.utf8) } ?? [])
        case .sse: kind = .stream(EventParser(limits: .init(line: limits.feedLine, event: limits.feedEvent)))
        }
    }

    /// The last id of a stream; empty: none.
    var lastEventID: [UInt8] {
        if case .stream(let parser) = kind { parser.lastEventID } else { [] }
    }

    /// Takes all of the bytes, and gives what they complete to `sink`, in order.
    mutating func parse(_ bytes: UnsafeRawBufferPointer, _ sink: (Item) -> Void) {
        switch kind {
        case .lines(var reader, let type):
            // Taken out and put back, so that what is held is not copied.
            kind = .lines(LineReader(limit: 0), type: [])
            unsafe reader.parse(bytes) { sink(Self.item($0, type)) }
            kind = .lines(reader, type: type)
        case .stream(var parser):
            kind = .lines(LineReader(limit: 0), type: [])
            var carried = carried
            unsafe parser.parse(bytes) { sink(Self.item($0, &carried)) }
            self.carried = carried
            kind = .stream(parser)
        }
    }

    /// The end of the output. The next bytes are those of another run.
    /// - Parameter isWhole: whether a last line without an end was meant to be one.
    mutating func finish(isWhole: Bool, _ sink: (Item) -> Void) {
        switch kind {
        case .lines(var reader, let type):
            if isWhole { reader.finish { sink(Self.item($0, type)) } } else { reader.reset() }
            kind = .lines(reader, type: type)
        case .stream(var parser):
            // An event without its empty line was never finished (WHATWG HTML, section 9.2.6).
            parser.reset()
            kind = .stream(parser)
        }
    }

    private static func item(_ item: LineReader.Item, _ type: [UInt8]) -> Item {
        switch item {
        case .line(let line, let wasRepaired): .event(EventDraft(data: line, type: type), wasRepaired: wasRepaired)
        case .tooLong: .dropped
        }
    }

    private static func item(_ item: EventParser.Item, _ carried: inout CarriedID) -> Item {
        switch item {
        case .event(let event):
            var draft = EventDraft(data: event.data, type: event.type)
            if let id = carried.take(event), id.count <= EncodedEvent.longestID {
                draft.id = id
                draft.clearsID = id.isEmpty
            }
            return .event(draft, wasRepaired: event.wasRepaired)
        case .comment: return .life
        case .retry(let milliseconds): return .retry(milliseconds: milliseconds)
        case .lineTooLong, .eventTooLong: return .dropped
        }
    }
}
