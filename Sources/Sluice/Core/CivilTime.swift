/// A moment as a date and a time of day in UTC, from seconds since 1970, for the places that need it: the Date field
/// (RFC 9110, section 5.6.7), `{time}` of a ticker (ISO 8601) and the access log.
struct CivilTime {
    let year: Int
    let month: Int
    let day: Int
    let hour: Int
    let minute: Int
    let second: Int
    let weekday: Int

    /// Days are counted from 1 March of year 0, so that the leap day ends a year of the count.
    init(unixSeconds: Int64) {
        let seconds = max(0, min(unixSeconds, 253_402_300_799))
        let days = seconds / 86_400
        let rest = Int(seconds % 86_400)
        hour = rest / 3600
        minute = rest / 60 % 60
        second = rest % 60
        weekday = Int((days + 4) % 7)
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
        month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
        year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`
    var httpDate: String {
        let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        return "\(weekdays[weekday]), \(Self.pad(day)) \(Self.months[month - 1]) \(Self.pad(year, 4)) "
            + "\(Self.pad(hour)):\(Self.pad(minute)):\(Self.pad(second)) GMT"
    }

    static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `06/Nov/1994:08:49:37 +0000`, as web servers write it to their logs.
    var logTime: String {
        "\(Self.pad(day))/\(Self.months[month - 1])/\(Self.pad(year, 4)):"
            + "\(Self.pad(hour)):\(Self.pad(minute)):\(Self.pad(second)) +0000"
    }

    /// `1994-11-06T08:49:37.123Z`
    func iso8601(milliseconds: Int) -> String {
        "\(Self.pad(year, 4))-\(Self.pad(month))-\(Self.pad(day))T"
            + "\(Self.pad(hour)):\(Self.pad(minute)):\(Self.pad(second)).\(Self.pad(milliseconds, 3))Z"
    }

    private static func pad(_ number: Int, _ width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
