internal import SluiceHTTP

/// Fields that are about one connection and go no further (RFC 9110, section 7.6.1).
enum HopByHop {
    /// Takes them away, and whatever Connection names. What a message cannot do without is not for Connection to name:
    /// framing, host and credentials pass also then.
    static func remove(from fields: inout FieldBlock) {
        guard fields.has(.connection) else { return fields.removeAll(always) }
        var gone = always
        var others: [[UInt8]] = []
        unsafe fields.forEachElement(of: .connection) { name in
            let id = unsafe FieldID.lookup(name)
            if id == .other { unsafe others.append(Array(name)) } else if !needed.contains(id) { gone.insert(id) }
        }
        fields.removeAll(gone) { name in others.contains { ASCII.equalIgnoringCase(name, $0) } }
    }

    private static let always: FieldSet = [
        .connection, .keepAlive, .proxyConnection, .te, .transferEncoding, .upgrade, .proxyAuthorization,
        .proxyAuthenticate,
        // It belongs to an upgrade that is not passed on (RFC 9113, section 3.1).
        .http2Settings,
        // No field of HTTP: a CGI program would take it for its own proxy (HTTP_PROXY).
        .proxy,
    ]
    private static let needed: FieldSet = [.host, .contentLength, .authorization, .cookie]
}
