internal import CLinux
internal import Synchronization

/// A thread of the operating system, for a loop of its own: loops block, and the tasks' threads must not.
package final class LoopThread: Sendable {
    private let handle: Mutex<UInt?>

    /// Starts a thread. It inherits which signals are blocked, so `Signals` comes first.
    ///
    /// - Parameter name: shown by ps and gdb; cut to 15 bytes.
    package init(name: String, body: @Sendable @escaping () -> Void) {
        // Without its threads there is no gateway; this happens at start or never.
        guard let thread = System.startThread(name: name, body: body) else {
            fatalError("cannot start thread \(name)")
        }
        handle = Mutex(thread)
    }

    deinit {
        if let thread = handle.withLock({ $0 }) { System.detachThread(thread) }
    }

    /// Waits until the body has returned. Of several callers only the first waits.
    package func join() {
        let thread = handle.withLock { handle in
            defer { handle = nil }
            return handle
        }
        if let thread { System.joinThread(thread) }
    }
}
