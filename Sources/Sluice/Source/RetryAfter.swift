/// The Retry-After field (RFC 9110, section 10.2.3): seconds, or a date.
enum RetryAfter {
    /// How long to wait, at most an hour.
    /// - Parameter unixSeconds: the time of day, for a date.
    static func milliseconds(_ text: String, unixSeconds: Int64) -> UInt64? {
        if !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) {
            // More digits than 64 bits hold are a long time too.
            return min(UInt64(text) ?? 3600, 3600) * 1000
        }
        guard let date = HTTPDate.unixSeconds(text) else { return nil }
        return UInt64(min(max(date - unixSeconds, 0), 3600)) * 1000
    }
}
