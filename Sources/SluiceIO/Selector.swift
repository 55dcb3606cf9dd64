package import CLinux

/// Tells which descriptors are ready (epoll, level-triggered). For one thread.
///
/// A token is the caller's: 64 bits that come back with every event. An event may come for a descriptor that was
/// closed earlier in the same batch, so a token should carry a generation (see `EventLoop` for the two it keeps).
@safe package final class Selector {
    /// What to wait for. Errors and hangups are always reported.
    package struct Interest: OptionSet, Sendable {
        package let rawValue: UInt8
        @inlinable package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let read = Interest(rawValue: 1)
        package static let write = Interest(rawValue: 2)
        /// Of several selectors that watch one listener only some are woken (EPOLLEXCLUSIVE). The kernel does not
        /// allow `readHangup` with it; a listener has none.
        package static let exclusive = Interest(rawValue: 4)
        /// The end of the peer's bytes is not reported (any more): it would be reported in every batch from then on.
        package static let withoutReadHangup = Interest(rawValue: 8)
    }

    /// What happened.
    package struct Events: OptionSet, Sendable {
        package let rawValue: UInt32
        @inlinable package init(rawValue: UInt32) { self.rawValue = rawValue }

        package static let read = Events(rawValue: UInt32(SLUICE_EPOLL_IN))
        package static let write = Events(rawValue: UInt32(SLUICE_EPOLL_OUT))
        /// Both directions are over.
        package static let hangup = Events(rawValue: UInt32(SLUICE_EPOLL_HUP))
        /// The peer sent its last byte, or is gone. Asked for with every interest.
        package static let readHangup = Events(rawValue: UInt32(SLUICE_EPOLL_RDHUP))
        /// `Socket.pendingError()` says which.
        package static let error = Events(rawValue: UInt32(SLUICE_EPOLL_ERR))
        /// The peer, or the system in its place, ended something.
        package static let ends = Events(
            rawValue: UInt32(SLUICE_EPOLL_RDHUP | SLUICE_EPOLL_HUP | SLUICE_EPOLL_ERR))
    }

    /// The most events one `wait` gives.
    package static let capacity = 128

    private let descriptor: FileDescriptor
    @usableFromInline let events: UnsafeMutablePointer<sluice_event>

    package init() throws(Errno) {
        descriptor = try System.openSelector()
        unsafe events = .allocate(capacity: Self.capacity)
        // What is read before the first wait should be zeros and not whatever was there.
        unsafe events.initialize(repeating: sluice_event(), count: Self.capacity)
    }

    deinit {
        unsafe events.deallocate()
    }

    /// Begins to watch a descriptor. It must be removed, or closed for good, before its number is used again.
    ///
    /// - Throws: ENOMEM, ENOSPC (`fs.epoll.max_user_watches`), EEXIST.
    package func add(_ descriptor: Int32, _ interest: Interest, token: UInt64) throws(Errno) {
        try System.add(descriptor, to: self.descriptor.rawValue, events: Self.bits(interest), token: token)
    }

    /// Watches for something else, or under another token.
    package func modify(_ descriptor: Int32, _ interest: Interest, token: UInt64) throws(Errno) {
        let bits = Self.bits(interest)
        do {
            try System.modify(descriptor, in: self.descriptor.rawValue, events: bits, token: token)
        } catch {
            // What is or becomes exclusive cannot be modified (epoll_ctl(2)), only added anew.
            guard error == .invalid else { throw error }
            System.remove(descriptor, from: self.descriptor.rawValue)
            try System.add(descriptor, to: self.descriptor.rawValue, events: bits, token: token)
        }
    }

    /// Ends watching a descriptor that is still open. One that is not watched is fine.
    package func remove(_ descriptor: Int32) {
        System.remove(descriptor, from: self.descriptor.rawValue)
    }

    /// Waits until something is ready.
    ///
    /// - Parameter timeoutMilliseconds: 0 only looks, -1 waits for ever.
    /// - Returns: how many events there are, at most `capacity`; zero also when a signal came in between.
    package func wait(timeoutMilliseconds: Int32) throws(Errno) -> Int {
        try unsafe System.wait(
            descriptor.rawValue, into: events, capacity: Int32(Self.capacity),
            timeoutMilliseconds: timeoutMilliseconds)
    }

    /// One event of the last `wait`.
    @inlinable package subscript(_ index: Int) -> (token: UInt64, events: Events) {
        precondition(index >= 0 && index < Self.capacity)
        return unsafe (events[index].token, Events(rawValue: events[index].flags))
    }

    private static func bits(_ interest: Interest) -> UInt32 {
        var bits = 0
        if interest.contains(.read) { bits |= SLUICE_EPOLL_IN }
        if interest.contains(.write) { bits |= SLUICE_EPOLL_OUT }
        if interest.contains(.exclusive) {
            bits |= SLUICE_EPOLL_EXCLUSIVE
        } else if !interest.contains(.withoutReadHangup) {
            bits |= SLUICE_EPOLL_RDHUP
        }
        return UInt32(bits)
    }
}
