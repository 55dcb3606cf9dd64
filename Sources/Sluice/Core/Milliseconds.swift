extension Duration {
    /// Whole milliseconds, rounded up, never negative, at most some 292 million years: a `Duration` of a configuration
    /// or a caller may be anything.
    var milliseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let part = UInt64((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
        let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1000)
        return overflow || whole > UInt64.max / 4 ? UInt64.max / 4 : whole + part
    }
}

extension UInt64 {
    /// This many milliseconds, less or more by up to `jitter` parts of them.
    func spread(by jitter: Double) -> UInt64 {
        guard jitter > 0, self > 0 else { return self }
        let width = Double(Swift.min(self, 1 << 50)) * Swift.min(jitter, 1)
        return UInt64(Swift.max(0, Double(Swift.min(self, 1 << 50)) + Double.random(in: -width...width)))
    }
}
