internal import CLinux

/// State under a lock, with a condition to wait for. The toolchain's Mutex has no condition.
@safe final class Monitor<State>: @unchecked Sendable {
    // Unchecked: `state` is touched only between lock and unlock.
    private let raw: OpaquePointer
    private var state: State

    init(_ state: sending State) {
        unsafe raw = sluice_monitor_make()
        self.state = state
    }

    deinit { unsafe sluice_monitor_free(raw) }

    /// Runs a body with the state to itself.
    func withLock<Result>(_ body: (inout State) -> Result) -> Result {
        unsafe sluice_monitor_lock(raw)
        defer { unsafe sluice_monitor_unlock(raw) }
        return body(&state)
    }

    /// Wakes all who wait, to look at the state again.
    func broadcast() { unsafe sluice_monitor_broadcast(raw) }

    /// What a body that waits wants next.
    enum Step<Result> {
        case done(Result)
        /// Call again after a broadcast, or at this time of the system's clock at the latest.
        case wait(untilMilliseconds: UInt64)
    }

    /// Runs a body with the state to itself, again and again with sleep between, until it is done.
    func waiting<Result>(_ body: (inout State) -> Step<Result>) -> Result {
        unsafe sluice_monitor_lock(raw)
        defer { unsafe sluice_monitor_unlock(raw) }
        while true {
            switch body(&state) {
            case .done(let result): return result
            case .wait(let time): unsafe sluice_monitor_wait(raw, time)
            }
        }
    }
}
