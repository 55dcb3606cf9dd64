/// What of a file a Range field asks for (RFC 9110, section 14).
enum ByteRanges: Sendable, Equatable {
    /// All of it: there is no range, or none that is worth it.
    case whole
    /// Parts that do not overlap, in the order of the request; at least one, none is empty.
    case parts([Range<UInt64>])
    /// 416: nothing of the file.
    case unsatisfiable

    /// More are not served in parts: each costs a head of its own.
    static let most = 16

    /// Whoever asks for something that cannot be read, for parts that overlap, or for very many gets the whole file,
    /// which is always allowed (section 14.2).
    init(_ value: ArraySlice<UInt8>?, size: UInt64) {
        guard let value, let specs = Self.specs(value), size > 0 else {
            // An empty file has no part that could be named.
            self = .whole
            return
        }
        guard specs.count <= Self.most else {
            self = .whole
            return
        }
        let parts = specs.compactMap { $0.range(in: size) }
        guard !parts.isEmpty else {
            self = .unsatisfiable
            return
        }
        let sorted = parts.sorted { $0.lowerBound < $1.lowerBound }
        let overlap = zip(sorted, sorted.dropFirst()).contains { $0.upperBound > $1.lowerBound }
        self = overlap ? .whole : .parts(parts)
    }

    private enum Spec {
        case from(UInt64, through: UInt64)
        case last(UInt64)

        func range(in size: UInt64) -> Range<UInt64>? {
            switch self {
            case .from(let first, let last):
                // The last place may be beyond the end, up to the largest number there is.
                first < size ? first..<(min(last, size &- 1) &+ 1) : nil
            case .last(let count):
                count > 0 ? (size &- min(count, size))..<size : nil
            }
        }
    }

    /// `nil` for another unit, and for what is no range.
    private static func specs(_ value: ArraySlice<UInt8>) -> [Spec]? {
        guard let equals = value.firstIndex(of: UInt8(ascii: "=")),
            String(decoding: value[..<equals], as: UTF8.self).lowercased() == "bytes"
        else { return nil }
        var specs: [Spec] = []
        for element in value[(equals + 1)...].split(separator: UInt8(ascii: ",")) {
            let text = trimmed(element)
            // Empty elements of a list are passed over (section 5.6.1).
            if text.isEmpty { continue }
            guard let spec = spec(text) else { return nil }
            specs.append(spec)
        }
        return specs.isEmpty ? nil : specs
    }

    private static func spec(_ text: ArraySlice<UInt8>) -> Spec? {
        guard let dash = text.firstIndex(of: UInt8(ascii: "-")) else { return nil }
        let (before, after) = (text[..<dash], text[(dash + 1)...])
        if before.isEmpty { return number(after).map { .last($0) } }
        guard let first = number(before) else { return nil }
        if after.isEmpty { return .from(first, through: .max) }
        guard let last = number(after), last >= first else { return nil }
        return .from(first, through: last)
    }

    /// Digits. More than 64 bits hold are beyond every file, as the largest number is.
    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard !digits.isEmpty else { return nil }
        var number: UInt64 = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, carried) = tens.addingReportingOverflow(UInt64(digit &- 0x30))
            number = overflow || carried || number == .max ? .max : sum
        }
        return number
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        let start = text.drop(while: isSpace)
        return start.prefix((start.lastIndex { !isSpace($0) } ?? start.startIndex - 1) - start.startIndex + 1)
    }
}
