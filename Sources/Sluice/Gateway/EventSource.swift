public import HTTPTypes
internal import SluiceIO

/// A robust client of one event stream, as in WHATWG HTML, section 9.2, for programs: any method, body and header
/// fields, a time after which silence counts as failure, and everything that happens told, comments and errors too.
///
/// ```swift
/// let source = try EventSource(url: "https://feeds.example/prices")
/// for await event in source.events { print(event.type, event.data) }
/// ```
///
/// It needs no gateway and follows the rules of the gateway's feeds. It connects at once and comes again for ever, with
/// growing delays, sending the last event id: unlike a browser's, it is not ended by an error status or a wrong media
/// type. What ends it is 204, `close`, the end of a task that iterates, or that nobody holds it any more.
///
/// What came and was not taken waits in a buffer (`EventSourceOptions.bufferLimit`); when that is full nothing is read
/// from the server until the program has taken half of it, so nothing is lost and nothing grows. All sources share one
/// thread of their own, which is there as long as there is a source.
public final class EventSource: Sendable {
    /// What the connection is doing (WHATWG HTML, `readyState`). It may be ahead of what the program has taken.
    public enum State: Sendable, Hashable {
        /// Connecting, or waiting for the time of the next attempt.
        case connecting
        /// A stream runs.
        case open
        /// It is over: by 204, or by `close`.
        case closed
    }

    /// One thing that happened. Cases may be added, so switch over them with a default.
    public enum Item: Sendable, Hashable {
        /// A stream began; the header fields of its response.
        case opened(HTTPFields)
        /// An event.
        case event(ReceivedEvent)
        /// A comment as it stands behind its colon, a leading space included.
        case comment(String)
        /// The server set another reconnection time. It is obeyed, within 100 ms and 1 h.
        case retry(Duration)
        /// Something was left out.
        case notice(EventSourceNotice)
        /// A stream is over, or there was none; says why, and whether it is tried again.
        case error(EventSourceError)
    }

    /// The URL that was given.
    public let url: String
    let inbox: SourceInbox
    private let thread: SourceThread

    /// A client that connects at once.
    /// - Parameters:
    ///   - url: an `http` or `https` URL, in ASCII, without a name, a password or a fragment.
    ///   - options: how it asks and behaves.
    /// - Throws: `SluiceError` of kind `configuration` for a URL or an option that cannot be used, `system` when the
    ///   system has no descriptor left.
    public convenience init(url: String, options: EventSourceOptions = EventSourceOptions()) throws(SluiceError) {
        try self.init(url: url, options: options, thread: nil)
    }

    /// - Parameter thread: `nil`: that of all sources.
    init(url: String, options: EventSourceOptions, thread: SourceThread?) throws(SluiceError) {
        let order = try SourceOrder(url: url, options)
        self.url = url
        if let thread { self.thread = thread } else { self.thread = try SourceThread.shared() }
        inbox = SourceInbox(limit: options.bufferLimit)
        self.thread.start(inbox, order)
    }

    deinit { close() }

    /// The events, in order. It ends when the source is closed; an error does not end it.
    ///
    /// Each event is given once, to whoever asks first: several iterations share them. One that is left may be followed
    /// by another, which goes on behind it. A cancel of the task that iterates closes the source.
    public var events: Events { Events(source: self) }

    /// All that happens, in order. As `events`, which it shares its content with.
    public var items: Items { Items(source: self) }

    /// What the connection is doing.
    public var readyState: State { inbox.readyState }

    /// Drops the connection and makes a new one at once, with the last event id; also after a 204. What came before and
    /// waits is kept. Nothing happens when the source was closed.
    public func restart() {
        if inbox.reopen() { thread.post(.restart(inbox.index)) }
    }

    /// Ends it for good: the connection is closed, what waits is dropped, and the sequences end.
    public func close() {
        if inbox.close() { thread.post(.close(inbox.index)) }
    }

    func next() async -> Item? {
        let (item, mustResume) = await withTaskCancellationHandler {
            await inbox.next()
        } onCancel: {
            close()
        }
        if mustResume { thread.post(.resume(inbox.index)) }
        return item
    }

    /// The events of a source.
    public struct Events: AsyncSequence, Sendable {
        /// An event.
        public typealias Element = ReceivedEvent
        /// Errors are items, not ends.
        public typealias Failure = Never

        let source: EventSource

        /// Goes on behind what was taken before.
        public func makeAsyncIterator() -> Iterator { Iterator(source: source) }

        /// Takes one event after the other.
        public struct Iterator: AsyncIteratorProtocol {
            let source: EventSource

            /// The next event; `nil` when the source is closed.
            public mutating func next() async -> ReceivedEvent? { await next(isolation: nil) }

            /// The next event; `nil` when the source is closed.
            public mutating func next(isolation actor: isolated (any Actor)?) async -> ReceivedEvent? {
                while let item = await source.next() {
                    if case .event(let event) = item { return event }
                }
                return nil
            }
        }
    }

    /// All that happens to a source.
    public struct Items: AsyncSequence, Sendable {
        /// One thing that happened.
        public typealias Element = Item
        /// Errors are items, not ends.
        public typealias Failure = Never

        let source: EventSource

        /// Goes on behind what was taken before.
        public func makeAsyncIterator() -> Iterator { Iterator(source: source) }

        /// Takes one item after the other.
        public struct Iterator: AsyncIteratorProtocol {
            let source: EventSource

            /// The next item; `nil` when the source is closed.
            public mutating func next() async -> Item? { await source.next() }

            /// The next item; `nil` when the source is closed.
            public mutating func next(isolation actor: isolated (any Actor)?) async -> Item? { await source.next() }
        }
    }
}
