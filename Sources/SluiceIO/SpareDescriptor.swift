/// One descriptor held back for the day on which there is none left. A listener whose clients cannot be accepted stays
/// readable, so a loop would spin on it, and the clients would wait for their own timeout. With the spare given up for
/// a moment they can be taken and closed, which tells them at once.
package struct SpareDescriptor: ~Copyable, Sendable {
    private static let batch = 64
    private var spare: FileDescriptor?

    /// Whether the last `acceptAndClose` left nobody waiting. Where it did leave somebody (there were more than 64,
    /// another thread took the descriptor first, or there was no spare), pause the listener for a while: it stays
    /// readable, and polling it would spin.
    package private(set) var isQueueEmpty = true

    /// Takes the spare. Where there is none to take already, a later call tries again.
    package init() {
        spare = try? System.openNull()
    }

    /// Accepts and closes what waits, at most 64 connections.
    ///
    /// - Returns: how many; `isQueueEmpty` says whether that was all.
    package mutating func acceptAndClose(from listener: borrowing Listener) -> Int {
        spare = nil
        isQueueEmpty = false
        var count = 0
        accepting: while count < Self.batch {
            switch listener.accept() {
            case .accepted(let socket, _):
                // Without a reset a client that sends first could wait for an answer.
                socket.resetOnClose()
                count += 1
            case .wouldBlock:
                isQueueEmpty = true
                break accepting
            default:
                break accepting
            }
        }
        spare = try? System.openNull()
        return count
    }

    /// Whether a spare is held.
    package var isHeld: Bool { spare != nil }
}

/// The number of descriptors this process may have open (RLIMIT_NOFILE).
package enum DescriptorLimit {
    /// Raises the limit as far as it goes without privileges, and answers what it is then.
    @discardableResult
    package static func raise() -> Int {
        let (soft, hard) = System.descriptorLimit()
        if soft < hard { try? System.setDescriptorLimit(hard) }
        return current
    }

    /// The limit that holds now.
    package static var current: Int { Int(clamping: System.descriptorLimit().soft) }

    /// Sets the limit; at most what `raise()` would give.
    package static func set(_ limit: Int) throws(Errno) {
        try System.setDescriptorLimit(UInt64(clamping: limit))
    }
}
