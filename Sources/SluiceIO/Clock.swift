/// A clock that never goes back. Injected, so that tests move time themselves.
package protocol MonotonicClock: Sendable {
    /// Nanoseconds since some moment that never changes while the process lives.
    func nowNanoseconds() -> UInt64
    /// The same in whole milliseconds, rounded down.
    func nowMilliseconds() -> UInt64
}

extension MonotonicClock {
    package func nowMilliseconds() -> UInt64 { nowNanoseconds() / 1_000_000 }
}

/// The machine's monotonic clock (CLOCK_MONOTONIC).
package struct SystemClock: MonotonicClock {
    package init() {}
    package func nowNanoseconds() -> UInt64 { System.monotonicNanoseconds() }
}
