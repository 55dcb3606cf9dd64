internal import SluiceHTTP

/// A request as an upstream gets it.
struct UpstreamRequest {
    /// To be written by `HTTP1Serializer`.
    private(set) var head: RequestHead
    /// The protocol that the client wants to change to, and that may pass: what 101 is an answer to.
    let upgrade: ArraySlice<UInt8>?
    /// The route says which Host it is.
    private var setsHost = false

    /// - Parameters:
    ///   - head: as it is to be passed on: the edits of its route are done.
    ///   - upgrades: protocols that may be changed to, in small letters.
    ///   - isResolved: its path is known to have no dot-segments.
    init(
        _ head: consuming RequestHead, from hop: ForwardedHop, saying choice: ForwardedFields, upgrades: [String],
        isResolved: Bool = false
    ) {
        upgrade = Self.upgrade(in: head, allowed: upgrades)
        let wantsTrailers = head.fields.hasToken(.te, "trailers")
        if !isResolved { Self.resolvePath(of: &head) }
        HopByHop.remove(from: &head.fields)
        hop.apply(to: &head, saying: choice)
        if wantsTrailers { head.fields.append(.te, "trailers") }
        // The serializer says `Connection: upgrade` with it.
        if let upgrade { head.fields.append(.upgrade, upgrade) }
        // Towards the upstream every connection stays; whether the client's does is another matter.
        head.keepAlive = true
        head.version = .http11
        self.head = head
    }

    /// Makes the route's changes, which have the last word.
    mutating func apply(_ edits: HeaderEdits) {
        edits.apply(to: &head)
        setsHost = edits.set.contains { $0.name.lowercased() == "host" }
    }

    /// Says what the request is called, and which trace it belongs to (W3C Trace Context).
    mutating func name(_ id: [UInt8], traceparent: [UInt8]) {
        head.fields.remove(.xRequestID)
        head.fields.append(.xRequestID, id)
        head.fields.remove(.traceparent)
        head.fields.append(.traceparent, traceparent)
    }

    /// Request line and fields.
    /// - Parameter authority: the Host for the upstream; `nil`: the client's.
    func write(authority: String?, to bytes: inout [UInt8]) {
        HTTP1Serializer.append(head, host: setsHost ? nil : authority, to: &bytes)
    }

    /// What was matched is what is asked for: a server that resolves dot-segments itself, or does not, would serve
    /// another path than the one whose rules were looked at.
    private static func resolvePath(of head: inout RequestHead) {
        guard let path = try? RequestPath(head.path).bytes, path != head.path else { return }
        head.setTarget(path + (head.query.map { [UInt8(ascii: "?")] + $0 } ?? []))
    }

    /// An upgrade that may pass: of HTTP/1.1, one protocol, an allowed one, in a request without a body. Others are
    /// ignored, as a server may ignore any (RFC 9110, section 7.8).
    private static func upgrade(in head: RequestHead, allowed: [String]) -> ArraySlice<UInt8>? {
        guard head.version == .http11, case .none = head.body, head.fields.count(of: .upgrade) == 1,
            head.fields.hasToken(.connection, "upgrade"), let wanted = head.fields.first(.upgrade)
        else { return nil }
        return allowed.contains { ASCII.equalIgnoringCase(wanted, $0) } ? wanted : nil
    }
}
