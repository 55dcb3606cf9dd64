/// How times and sizes are written.
enum Scalars {
    private static let times: [(unit: String, milliseconds: Int64)] = [
        ("h", 3_600_000), ("m", 60000), ("s", 1000), ("ms", 1),
    ]
    private static let sizes: [(unit: String, bytes: Int)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
    ]

    /// `1h`, `2m`, `15s`, `500ms` and `0`; `nil` for anything else and for what is too long to count.
    static func duration(_ text: String) -> Duration? {
        if text == "0" { return .zero }
        let digits = text.prefix { ("0"..."9").contains($0) }
        guard let number = Int64(digits), let time = times.first(where: { $0.unit == text.dropFirst(digits.count) })
        else { return nil }
        let (milliseconds, overflow) = number.multipliedReportingOverflow(by: time.milliseconds)
        return overflow ? nil : .milliseconds(milliseconds)
    }

    /// The shortest text that is read as this time, in whole milliseconds, rounded up.
    static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let part = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        let (milliseconds, over) = whole.addingReportingOverflow(part)
        guard !overflow, !over else { return "\(seconds)s" }
        if milliseconds == 0 { return "0" }
        for time in times where milliseconds.isMultiple(of: time.milliseconds) {
            return "\(milliseconds / time.milliseconds)\(time.unit)"
        }
        return "\(milliseconds)ms"
    }

    /// `256KiB`, `8MiB`, `1GiB` and plain bytes; `nil` for anything else and for what is too much to count.
    static func bytes(_ text: String) -> Int? {
        let digits = text.prefix { ("0"..."9").contains($0) }
        guard let number = Int(digits) else { return nil }
        let unit = text.dropFirst(digits.count)
        if unit.isEmpty || unit == "B" { return number }
        guard let size = sizes.first(where: { $0.unit == unit }) else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: size.bytes)
        return overflow ? nil : bytes
    }

    /// The shortest text that is read as this many bytes.
    static func text(bytes: Int) -> String {
        for size in sizes where bytes != 0 && bytes.isMultiple(of: size.bytes) {
            return "\(bytes / size.bytes)\(size.unit)"
        }
        return "\(bytes)"
    }

    /// What was probably meant: `15sec` is `15s`, `8MB` is `8MiB`, `15` is `15s`.
    static func meant(_ text: String, units: [(written: String, meant: String)]) -> String? {
        let digits = text.prefix { ("0"..."9").contains($0) }
        guard !digits.isEmpty else { return nil }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        return units.first { $0.written == unit }.map { digits + $0.meant }
    }

    static let timeSlips: [(written: String, meant: String)] = [
        ("", "s"), ("sec", "s"), ("secs", "s"), ("second", "s"), ("seconds", "s"), ("s", "s"), ("min", "m"),
        ("mins", "m"), ("minute", "m"), ("minutes", "m"), ("m", "m"), ("hour", "h"), ("hours", "h"), ("h", "h"),
        ("msec", "ms"), ("millis", "ms"), ("milliseconds", "ms"), ("ms", "ms"),
    ]
    static let sizeSlips: [(written: String, meant: String)] = [
        ("k", "KiB"), ("kb", "KiB"), ("kib", "KiB"), ("m", "MiB"), ("mb", "MiB"), ("mib", "MiB"), ("g", "GiB"),
        ("gb", "GiB"), ("gib", "GiB"), ("bytes", ""), ("b", ""),
    ]
}
