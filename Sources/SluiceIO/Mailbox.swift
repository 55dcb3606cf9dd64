package import Synchronization

/// Messages from any thread to one worker, with one wake-up a batch.
///
/// The eventfd is written and reset under the box's lock, together with the flag that says whether it is up. So a
/// message without a wake-up, or a wake-up without a message, cannot happen, and a `take` with no wake-up costs no call.
package final class Mailbox<Message: Sendable>: Sendable {
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
    @inlinable package var descriptor: Int32 { event.rawValue }

    /// Messages that wait.
    @inlinable package var count: Int { state.withLock { $0.messages.count } }

    /// Puts a message at the end.
    ///
    /// - Parameter wake: wake the worker, unless that has been done for this batch.
    /// - Returns: whether a wake-up is still owed: `wake()` has to be called, usually after another lock is released.
    @inlinable @discardableResult
    package func post(_ message: Message, wake: Bool = true) -> Bool {
        state.withLock { state in
            state.messages.append(message)
            return Self.raise(&state, event, wake)
        }
    }

    /// Puts messages at the end, next to each other.
    @inlinable @discardableResult
    package func post(contentsOf messages: some Sequence<Message> & Sendable, wake: Bool = true) -> Bool {
        state.withLock { state in
            state.messages.append(contentsOf: messages)
            return Self.raise(&state, event, wake)
        }
    }

    /// Pays a wake-up that `post(_:wake:)` owed. Nothing when the messages were taken or announced in the meantime.
    @inlinable package func wake() {
        state.withLock { state in
            _ = Self.raise(&state, event, true)
        }
    }

    /// Takes all messages, in the order they were posted, and the wake-up with them. For the one worker that owns the
    /// box. The array's old content is dropped; its storage is what the box fills next.
    @inlinable package func take(into messages: inout [Message]) {
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
package final class WakeDescriptor: Sendable {
    private let descriptor: FileDescriptor

    package init() throws(Errno) { descriptor = try System.openEvent() }
    package var rawValue: Int32 { descriptor.rawValue }
    package func signal() { System.signalEvent(descriptor.rawValue) }
    package func reset() { System.resetEvent(descriptor.rawValue) }
}
