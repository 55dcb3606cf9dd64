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

/// A date of RFC 9110, section 5.6.7, in the form that senders must use: `Sun, 06 Nov 1994 08:49:37 GMT`.
enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Seconds since 1970; `nil` for anything else.
    static func unixSeconds(_ text: String) -> Int64? {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0].utf8.count == 4, parts[0].hasSuffix(","), parts[5] == "GMT",
            let day = number(parts[1], 2), let month = months.firstIndex(of: String(parts[2])),
            let year = number(parts[3], 4), year >= 1970
        else { return nil }
        let clock = parts[4].split(separator: ":", omittingEmptySubsequences: false)
        guard clock.count == 3, let hour = number(clock[0], 2), let minute = number(clock[1], 2),
            let second = number(clock[2], 2), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        // Days from 1 March of year 0, so that the leap day ends a year of the count.
        let shifted = Int64(month < 2 ? year - 1 : year)
        let dayOfYear = (153 * Int64(month < 2 ? month + 10 : month - 2) + 2) / 5 + Int64(day) - 1
        let days = 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
        return days * 86_400 + Int64(hour * 3600 + minute * 60 + second)
    }

    private static func number(_ text: Substring, _ digits: Int) -> Int? {
        guard text.utf8.count == digits, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return Int(text)
    }
}
