public import Synchronization

/// Messages from any thread to one worker, with one wake-up a batch.
///
/// The eventfd is written and reset under the box's lock, together with the flag that says whether it is up. So a
/// message without a wake-up, or a wake-up without a message, cannot happen, and a `take` with no wake-up costs no call.
///
/// Public, though for this package alone: the compiler specialises nothing across modules that is `package`, and a
/// generic mailbox asks for metadata and witnesses at every message.
public final class Mailbox<Message: Sendable>: Sendable {
    @usableFromInline struct State: Sendable {
        @usableFromInline var messages: [Message] = []
        /// The eventfd is readable.
        @usableFromInline var isUp = false
    }

    @usableFromInline let state = Mutex(State())
    @usableFromInline let event: WakeDescriptor

    package init() throws(Errno) {
        event = try WakeDescriptor()
    }

    /// The eventfd, readable while a wake-up waits; to be given to a `Selector`.
    @inlinable public var descriptor: Int32 { event.rawValue }

    /// Messages that wait.
    @inlinable public var count: Int { state.withLock { $0.messages.count } }

    /// Puts a message at the end.
    ///
    /// - Parameter wake: wake the worker, unless that has been done for this batch.
    /// - Returns: whether a wake-up is still owed: `wake()` has to be called, usually after another lock is released.
    @inlinable @discardableResult
    public func post(_ message: Message, wake: Bool = true) -> Bool {
        state.withLock { state in
            state.messages.append(message)
            return Self.raise(&state, event, wake)
        }
    }

    /// Puts messages at the end, next to each other.
    @inlinable @discardableResult
    public func post(contentsOf messages: some Sequence<Message>, wake: Bool = true) -> Bool {
        post(wake: wake) { $0.append(contentsOf: messages) }
    }

    /// Puts those messages at the end that `fill` appends, next to each other. Under the box's lock.
    @inlinable @discardableResult
    public func post(wake: Bool = true, _ fill: (inout [Message]) -> Void) -> Bool {
        state.withLock { state in
            fill(&state.messages)
            return Self.raise(&state, event, wake)
        }
    }

    /// Pays a wake-up that `post(_:wake:)` owed. Nothing when the messages were taken or announced in the meantime.
    @inlinable public func wake() {
        state.withLock { state in
            _ = Self.raise(&state, event, true)
        }
    }

    /// Takes all messages, in the order they were posted, and the wake-up with them. For the one worker that owns the
    /// box. The array's old content is dropped; its storage is what the box fills next.
    @inlinable public func take(into messages: inout [Message]) {
        messages.removeAll(keepingCapacity: true)
        state.withLock { state in
            swap(&state.messages, &messages)
            if state.isUp {
                state.isUp = false
                event.reset()
            }
        }
    }

    @inlinable static func raise(_ state: inout State, _ event: WakeDescriptor, _ wake: Bool) -> Bool {
        if state.isUp || state.messages.isEmpty { return false }
        if !wake { return true }
        state.isUp = true
        event.signal()
        return false
    }
}

/// An eventfd.
public final class WakeDescriptor: Sendable {
    private let descriptor: FileDescriptor

    package init() throws(Errno) { descriptor = try System.openEvent() }
    /// Its number.
    public var rawValue: Int32 { descriptor.rawValue }
    /// Makes it readable.
    public func signal() { System.signalEvent(descriptor.rawValue) }
    /// Makes it unreadable.
    public func reset() { System.resetEvent(descriptor.rawValue) }
}
