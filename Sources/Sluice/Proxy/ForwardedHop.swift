internal import SluiceHTTP

/// Who asked, as an upstream is told: X-Forwarded-For, -Proto and -Host, and Forwarded (RFC 7239).
struct ForwardedHop {
    /// The address that connected, without port; `nil`: a unix socket's.
    let peer: String?
    /// What it says of those before it is believed.
    let isTrusted: Bool
    let isSecure: Bool

    /// Puts in the fields what this hop knows. A client's own are taken away unless it is believed; so are those that a
    /// CGI-like server would take for them (`X_Forwarded_For`).
    func apply(to head: inout RequestHead, saying choice: ForwardedFields) {
        let said = isTrusted ? head.fields : FieldBlock()
        head.fields.removeAll(Self.own) { Self.isLookAlike($0) || (!isTrusted && Self.isXForwarded($0)) }
        if choice == .xForwarded || choice == .both { addXForwarded(to: &head.fields, said, head.host) }
        if choice == .forwarded || choice == .both {
            addForwarded(to: &head.fields, said, head.host.map { String(decoding: $0, as: UTF8.self) })
        }
    }

    private static let own: FieldSet = [.xForwardedFor, .xForwardedProto, .xForwardedHost, .xRealIP, .forwarded]

    private func addXForwarded(to fields: inout FieldBlock, _ said: FieldBlock, _ host: ArraySlice<UInt8>?) {
        if isTrusted, said.has(.xForwardedFor) {
            let chain = values(of: .xForwardedFor, in: said) + [peer].compactMap(\.self)
            if !chain.isEmpty { fields.append(.xForwardedFor, chain.joined(separator: ", ")) }
        } else if let peer {
            fields.append(.xForwardedFor, peer)
        }
        fields.append(.xForwardedProto, (isTrusted ? said.string(.xForwardedProto) : nil) ?? scheme)
        if let host = (isTrusted ? said.first(.xForwardedHost) : nil) ?? host {
            fields.append(.xForwardedHost, host)
        }
        if isTrusted, let real = said.string(.xRealIP) { fields.append(.xRealIP, real) }
    }

    private func addForwarded(to fields: inout FieldBlock, _ said: FieldBlock, _ host: String?) {
        let before = isTrusted ? values(of: .forwarded, in: said) : []
        var element = "for=\(node);proto=\(scheme)"
        // A host with a port or brackets is no token, and a quoted string holds no quote or backslash of its own.
        if let host, !host.contains(where: { $0 == "\"" || $0 == "\\" }) { element += ";host=\"\(host)\"" }
        fields.append(.forwarded, (before + [element]).joined(separator: ", "))
    }

    /// Empty ones say nothing: an empty element would be taken for the client.
    private func values(of id: FieldID, in said: FieldBlock) -> [String] {
        said.all(id).filter { !$0.isEmpty }.map { String(decoding: $0, as: UTF8.self) }
    }

    private var scheme: String { isSecure ? "https" : "http" }

    private var node: String {
        guard let peer else { return "unknown" }
        return peer.contains(":") ? "\"[\(peer)]\"" : peer
    }

    /// The family has more members than are spoken here (X-Forwarded-Port, -Prefix, -Server).
    private static func isXForwarded(_ name: ArraySlice<UInt8>) -> Bool {
        ASCII.equalIgnoringCase(name.prefix(12), "x-forwarded-")
    }

    /// Names that become one with the gateway's own where `-` and `_` are not told apart (RFC 3875, section 4.1.18).
    private static func isLookAlike(_ name: ArraySlice<UInt8>) -> Bool {
        guard name.contains(UInt8(ascii: "_")) else { return false }
        let dashed = name.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 }
        return isXForwarded(dashed[...]) || guarded.contains { ASCII.equalIgnoringCase(dashed[...], $0) }
    }

    private static let guarded = [
        "x-real-ip", "forwarded", "content-length", "transfer-encoding", "content-type", "host", "connection",
        "authorization",
    ]
}
