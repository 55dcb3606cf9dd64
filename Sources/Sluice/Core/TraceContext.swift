/// Where a request belongs in a distributed trace (W3C Trace Context, level 1, `traceparent`).
package struct TraceContext: Sendable, Equatable {
    /// The trace, not 0.
    package let traceID: TraceID
    /// The span that sends: of the client as it was read, one of our own in what `continuing` makes. Not 0.
    package let parentID: UInt64
    /// Whether the caller may have recorded it.
    package let isSampled: Bool

    /// 128 bits.
    package struct TraceID: Sendable, Equatable {
        package let high: UInt64
        package let low: UInt64
    }

    /// Reads a field's value. Of a version that is not known yet, what version 00 has is read (section 3.2.4).
    package init?(_ value: ArraySlice<UInt8>) {
        let dash = UInt8(ascii: "-")
        let text = Array(value.prefix(56))
        guard text.count >= 55, text[2] == dash, text[35] == dash, text[52] == dash,
            let version = Self.hex(text[0..<2]), version != 0xFF,
            let high = Self.hex(text[3..<19]), let low = Self.hex(text[19..<35]),
            let parent = Self.hex(text[36..<52]), let flags = Self.hex(text[53..<55]),
            high | low != 0, parent != 0
        else { return nil }
        guard value.count == 55 || (version != 0 && text[55] == dash) else { return nil }
        self.init(TraceID(high: high, low: low), parentID: parent, isSampled: flags & 1 == 1)
    }

    private init(_ traceID: TraceID, parentID: UInt64, isSampled: Bool) {
        self.traceID = traceID
        self.parentID = parentID
        self.isSampled = isSampled
    }

    /// What a request's own upstream requests say: its trace with a parent of our own, or a trace that begins here where
    /// the request has no valid field, or several. A new trace is not sampled: whether to record is for others to say.
    package static func continuing(_ fields: [ArraySlice<UInt8>]) -> TraceContext {
        let parent = UInt64.random(in: 1 ... .max)
        if fields.count == 1, let given = TraceContext(fields[0]) {
            return TraceContext(given.traceID, parentID: parent, isSampled: given.isSampled)
        }
        let id = TraceID(high: .random(in: 1 ... .max), low: .random(in: 0 ... .max))
        return TraceContext(id, parentID: parent, isSampled: false)
    }

    /// The field's value.
    package var text: [UInt8] {
        Array("00-".utf8) + traceIDText + [0x2D] + HexText.bytes(parentID) + Array((isSampled ? "-01" : "-00").utf8)
    }

    /// The trace in 32 digits.
    package var traceIDText: [UInt8] { HexText.bytes(traceID.high) + HexText.bytes(traceID.low) }

    /// Digits and lower case alone (section 3.2.2.3).
    private static func hex(_ text: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for byte in text {
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt64(byte &- 0x30)
            case 0x61...0x66: value = value << 4 | UInt64(byte &- 0x57)
            default: return nil
            }
        }
        return value
    }
}

/// Numbers in hexadecimal digits.
enum HexText {
    /// 16 digits in lower case.
    static func bytes(_ value: UInt64) -> [UInt8] {
        (0..<16).map { place in
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(60 - 4 * place)) & 15
            return digit < 10 ? 0x30 + digit : 0x57 + digit
        }
    }
}
