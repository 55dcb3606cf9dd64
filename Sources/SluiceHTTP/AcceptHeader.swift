/// What a request's Accept says about a media type (RFC 9110, 12.5.1). Types are compared without case; their
/// parameters other than `q` do not matter; elements that are not well formed count as if they were not there.
package enum AcceptHeader {
    /// Whether the type is named exactly, with q > 0. `*/*`, `text/*` and no Accept do not name it.
    package static func names(_ accept: ArraySlice<UInt8>, _ type: String) -> Bool {
        var isNamed = false
        forEachRange(accept) { range, weight in
            if weight > 0, range.matches(type) { isNamed = true }
        }
        return isNamed
    }

    /// Whether one of these Accept values names the type exactly, with q > 0.
    package static func names(_ accept: [ArraySlice<UInt8>], _ type: String) -> Bool {
        accept.contains { names($0, type) }
    }

    /// Whether the type may be sent: q > 0 in the most specific range that takes it in. No Accept allows everything.
    package static func allows(_ accept: [ArraySlice<UInt8>], _ type: String) -> Bool {
        let typePart = type.utf8.prefix { $0 != ASCII.slash }
        var hasRange = false
        var best = (specificity: -1, weight: 0)
        for value in accept {
            forEachRange(value) { range, weight in
                hasRange = true
                let specificity: Int
                if range.matches(type) {
                    specificity = 2
                } else if MediaType.isWildcard(range.subtype), ASCII.equalIgnoringCase(range.type, typePart) {
                    specificity = 1
                } else if MediaType.isWildcard(range.subtype), MediaType.isWildcard(range.type) {
                    specificity = 0
                } else {
                    return
                }
                // Equally specific ranges (they differ in parameters): the kindest one.
                if specificity > best.specificity || (specificity == best.specificity && weight > best.weight) {
                    best = (specificity, weight)
                }
            }
        }
        return !hasRange || best.weight > 0
    }

    /// Whether a Content-Type is `text/event-stream`, whatever its parameters, also with a lone `;` behind it.
    package static func isEventStream(_ contentType: ArraySlice<UInt8>) -> Bool {
        // Only the type counts (WHATWG MIME Sniffing, 4.4): parameters that are not well formed do not spoil it.
        unsafe contentType.withUnsafeBytes { bytes in
            let end = unsafe bytes.firstIndex(of: ASCII.semicolon) ?? bytes.count
            let essence = unsafe ASCII.trimmed(bytes, 0..<end)
            return unsafe ASCII.equalIgnoringCase(UnsafeRawBufferPointer(rebasing: bytes[essence]), "text/event-stream")
        }
    }

    /// Calls with each well-formed range and its weight in thousandths.
    private static func forEachRange(_ accept: ArraySlice<UInt8>, _ body: (MediaType, Int) -> Void) {
        var rest = accept
        while !rest.isEmpty {
            let end = endOfElement(rest)
            if let range = MediaType(rest[..<end]), let weight = weight(of: range) { body(range, weight) }
            rest = rest[end...].dropFirst()
        }
    }

    /// The index of the first comma that is not inside a quoted string, or the end.
    private static func endOfElement(_ bytes: ArraySlice<UInt8>) -> Int {
        var isQuoted = false
        var isEscaped = false
        for index in bytes.indices {
            let byte = bytes[index]
            if isEscaped {
                isEscaped = false
            } else if byte == ASCII.quote {
                isQuoted.toggle()
            } else if isQuoted, byte == ASCII.backslash {
                isEscaped = true
            } else if !isQuoted, byte == ASCII.comma {
                return index
            }
        }
        return bytes.endIndex
    }

    /// `q` in thousandths: 1000 when there is none, nil when it is not well formed.
    private static func weight(of range: MediaType) -> Int? {
        range.parameter("q").map(weight) ?? 1000
    }

    /// The value of `q` in thousandths, nil when it is not well formed (RFC 9110, 12.4.2).
    static func weight(_ value: ArraySlice<UInt8>) -> Int? {
        guard let first = value.first, first == UInt8(ascii: "0") || first == UInt8(ascii: "1") else { return nil }
        var weight = first == UInt8(ascii: "1") ? 1000 : 0
        let rest = value.dropFirst()
        if rest.isEmpty { return weight }
        guard rest.first == UInt8(ascii: "."), rest.count <= 4 else { return nil }
        var scale = 100
        for digit in rest.dropFirst() {
            guard ASCII.isDigit(digit) else { return nil }
            weight += Int(digit - 0x30) * scale
            scale /= 10
        }
        return weight <= 1000 ? weight : nil
    }
}
