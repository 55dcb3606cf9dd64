internal import SluiceHTTP

/// Fields that are about one connection and go no further (RFC 9110, section 7.6.1).
enum HopByHop {
    /// Takes them away, and whatever Connection names. What a message cannot do without is not for Connection to name:
    /// framing, host and credentials pass also then.
    static func remove(from fields: inout FieldBlock) {
        let named = fields.all(.connection).flatMap { $0.split(separator: UInt8(ascii: ",")).map(trimmedName) }
        fields.removeAll { id, name, _ in
            switch id {
            case .connection, .keepAlive, .proxyConnection, .te, .transferEncoding, .upgrade, .proxyAuthorization,
                .proxyAuthenticate:
                return true
            case .host, .contentLength, .authorization, .cookie: return false
            default: return endsHere.contains { equal(name, $0.utf8) } || named.contains { equal($0, name) }
            }
        }
    }

    /// HTTP2-Settings belongs to an upgrade that is not passed on (RFC 9113, section 3.1). Proxy is no field of HTTP: a
    /// CGI program would take it for its own proxy (HTTP_PROXY).
    private static let endsHere = ["http2-settings", "proxy"]

    private static func trimmedName(_ element: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var element = element.drop { $0 == 0x20 || $0 == 0x09 }
        while let last = element.last, last == 0x20 || last == 0x09 { element.removeLast() }
        return element
    }

    static func equal(_ one: ArraySlice<UInt8>, _ other: some Collection<UInt8>) -> Bool {
        one.count == other.count && zip(one, other).allSatisfy { lowered($0) == lowered($1) }
    }

    private static func lowered(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }
}
