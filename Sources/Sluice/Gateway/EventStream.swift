public import SluiceSSE

/// An event stream to one client, for the task that serves it. It is open until the client leaves, `close` is called,
/// or the serving closure returns.
public final class EventStream: Sendable {
    /// What became of a yielded event. Kinds may be added, so switch over them with a default.
    public struct YieldResult: Sendable, Hashable {
        enum Kind: Hashable { case written, buffered(Int), rejected(Rejection) }
        let kind: Kind

        /// Handed on; nothing waits before it.
        static let written = YieldResult(kind: .written)
        static func buffered(bytes: Int) -> YieldResult { YieldResult(kind: .buffered(bytes)) }
        static func rejected(_ why: Rejection) -> YieldResult { YieldResult(kind: .rejected(why)) }

        /// Handed on to a client that keeps up.
        public var isWritten: Bool { kind == .written }
        /// It waits behind others; so many bytes do. `nil` when it does not wait.
        public var bufferedBytes: Int? { if case .buffered(let bytes) = kind { bytes } else { nil } }
        /// Why it was not taken; `nil` when it was.
        public var rejection: Rejection? { if case .rejected(let why) = kind { why } else { nil } }
    }

    /// Why an event was not taken.
    public struct Rejection: Sendable, Hashable {
        let name: String
        /// The buffer is full: the client reads too slowly.
        public static let full = Rejection(name: "full")
        /// The stream is over.
        public static let closed = Rejection(name: "closed")
        /// The event's type or id holds CR, LF or NUL.
        public static let invalid = Rejection(name: "invalid")
    }

    /// The request that this stream answers.
    public let request: Request
    private let served: ServedRequest

    init(_ request: Request) {
        self.request = request
        served = request.served
    }

    /// Whether the client is still there and the stream was not closed.
    public var isOpen: Bool { served.isOpen }

    /// Sends an event; waits while the buffer is full.
    /// - Throws: `SluiceError` of kind `closed` when the stream is over, `badEvent` for a CR, LF or NUL in type or id.
    public func send(_ event: ServerSentEvent) async throws {
        var bytes: [UInt8] = []
        do {
            try EventEncoder.append(event, to: &bytes)
        } catch {
            throw SluiceError(.badEvent, "\(error)")
        }
        try await send(bytes)
    }

    /// Sends an event unless the buffer is full. Never waits.
    @discardableResult
    public func yield(_ event: ServerSentEvent) -> YieldResult {
        var bytes: [UInt8] = []
        do {
            try EventEncoder.append(event, to: &bytes)
        } catch {
            return .rejected(.invalid)
        }
        return served.offer(bytes)
    }

    /// Sends a comment, which clients ignore; waits while the buffer is full.
    /// - Throws: `SluiceError` of kind `closed` when the stream is over.
    public func comment(_ text: String = "") async throws {
        var bytes: [UInt8] = []
        EventEncoder.appendComment(text, to: &bytes)
        try await send(bytes)
    }

    private func send(_ bytes: [UInt8]) async throws {
        while true {
            let result = served.offer(bytes)
            if result.rejection == .closed { throw SluiceError(.closed, "the stream is over") }
            if result.rejection == nil { return }
            guard await served.room() else { throw SluiceError(.closed, "the stream is over") }
        }
    }

    /// A tick each `interval`, counted from 1, on the worker's timer wheel. It ends with the client: there is no timer
    /// to delete. Ticks that nobody waited for are not made up for.
    public func ticks(every interval: Duration) -> Ticks { Ticks(served, interval) }

    /// Ends the stream. What was sent before still reaches the client; when it has been handed on, the task that serves the
    /// stream is cancelled.
    public func close() { served.close() }
}
