/// A media type with its parameters (RFC 9110, 8.3.1), or a range of an Accept field (12.5.1).
package struct MediaType: Sendable {
    /// A parameter; the value without quotes and escapes.
    package struct Parameter: Sendable {
        package let name: ArraySlice<UInt8>
        package let value: ArraySlice<UInt8>
    }

    package let type: ArraySlice<UInt8>
    package let subtype: ArraySlice<UInt8>
    package private(set) var parameters: [Parameter] = []

    /// Parses a type. Nil when it is not well formed; a lone `;` and empty parameters are well formed.
    package init?(_ bytes: ArraySlice<UInt8>) {
        var reader = ParameterReader(bytes)
        reader.skipBlanks()
        guard let type = reader.token(), reader.take(ASCII.slash), let subtype = reader.token() else { return nil }
        self.type = type
        self.subtype = subtype
        reader.skipBlanks()
        while reader.take(ASCII.semicolon) {
            reader.skipBlanks()
            if let name = reader.token() {
                guard reader.take(ASCII.equals), let value = reader.tokenOrQuoted() else { return nil }
                parameters.append(Parameter(name: name, value: value))
                reader.skipBlanks()
            }
        }
        guard reader.isAtEnd else { return nil }
    }

    /// Whether type and subtype are these (`"text/event-stream"`), compared without case.
    package func matches(_ essence: String) -> Bool {
        let name = essence.utf8
        guard name.count == type.count + 1 + subtype.count, let slash = name.firstIndex(of: ASCII.slash) else {
            return false
        }
        return ASCII.equalIgnoringCase(name[..<slash], type)
            && ASCII.equalIgnoringCase(name[name.index(after: slash)...], subtype)
    }

    /// The value of a parameter, compared without case.
    package func parameter(_ name: String) -> ArraySlice<UInt8>? {
        parameters.first { ASCII.equalIgnoringCase($0.name, name.utf8) }?.value
    }

    /// Whether this is `*`.
    static func isWildcard(_ part: ArraySlice<UInt8>) -> Bool { part.count == 1 && part.first == ASCII.asterisk }
}

/// Takes tokens and quoted strings off a field value (RFC 9110, 5.6.2 and 5.6.4).
struct ParameterReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skipBlanks() { rest = rest.drop(while: ASCII.isBlank) }

    mutating func take(_ byte: UInt8) -> Bool {
        guard rest.first == byte else { return false }
        rest = rest.dropFirst()
        return true
    }

    mutating func token() -> ArraySlice<UInt8>? {
        let token = rest.prefix(while: ByteSet.token.contains)
        rest = rest[token.endIndex...]
        return token.isEmpty ? nil : token
    }

    mutating func tokenOrQuoted() -> ArraySlice<UInt8>? {
        guard take(ASCII.quote) else { return token() }
        var value: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case ASCII.quote: return value[...]
            case ASCII.backslash:
                guard let escaped = rest.popFirst(), ASCII.isValue(escaped) else { return nil }
                value.append(escaped)
            default:
                guard ASCII.isValue(byte) else { return nil }
                value.append(byte)
            }
        }
        return nil
    }
}
