/// A date of RFC 9110, section 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`, and the two forms of old that recipients must
/// still take, `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`.
enum HTTPDate {
    /// Seconds since 1970; `nil` for anything else.
    static func unixSeconds(_ text: String) -> Int64? {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        switch parts.count {
        case 6 where parts[2].isEmpty: return asctime(parts[0], parts[1], parts[3], parts[4], parts[5], dayDigits: 1)
        case 6:
            guard parts[0].utf8.count == 4, parts[0].hasSuffix(","), parts[5] == "GMT" else { return nil }
            return seconds(day: number(parts[1], 2), month: parts[2], year: number(parts[3], 4), clock: parts[4])
        case 5: return asctime(parts[0], parts[1], parts[2], parts[3], parts[4], dayDigits: 2)
        case 4: return rfc850(parts)
        default: return nil
        }
    }

    private static func rfc850(_ parts: [Substring]) -> Int64? {
        let date = parts[1].split(separator: "-", omittingEmptySubsequences: false)
        guard parts[0].hasSuffix("day,"), parts[3] == "GMT", date.count == 3, let year = number(date[2], 2) else {
            return nil
        }
        return seconds(
            day: number(date[0], 2), month: date[1], year: year < 70 ? 2000 + year : 1900 + year, clock: parts[2])
    }

    private static func asctime(
        _ weekday: Substring, _ month: Substring, _ day: Substring, _ clock: Substring, _ year: Substring,
        dayDigits: Int
    ) -> Int64? {
        guard weekday.utf8.count == 3 else { return nil }
        return seconds(day: number(day, dayDigits), month: month, year: number(year, 4), clock: clock)
    }

    private static func seconds(day: Int?, month: Substring, year: Int?, clock: Substring) -> Int64? {
        guard let day, let month = CivilTime.months.firstIndex(of: String(month)), let year, year >= 1970 else {
            return nil
        }
        let clock = clock.split(separator: ":", omittingEmptySubsequences: false)
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
