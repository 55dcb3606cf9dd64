internal import SluiceHTTP
internal import SluiceSSE

/// What an upstream's answer is to its client.
struct UpstreamResponse {
    /// How an answer's bytes are treated.
    enum Kind: Equatable {
        case ordinary
        /// It comes bit by bit and has no end that one could wait for.
        case stream
        /// A stream of events that are readable as they are, so that comments may stand between them.
        case events
    }

    /// To be written to the client.
    var head: ResponseHead
    let kind: Kind

    /// - Parameters:
    ///   - head: what the upstream said.
    ///   - version: what its client speaks.
    init(_ head: consuming ResponseHead, to version: HTTPVersion) {
        kind = Self.kind(of: head)
        HopByHop.remove(from: &head.fields)
        head.version = version
        switch head.body {
        // The length is not known beforehand: only chunks, or the connection's end, can say where it ends.
        case .untilClose, .chunked: head.body = version == .http10 ? .untilClose : .chunked
        case .none, .length: break
        }
        self.head = head
    }

    /// Streams are told by their media type or by what says that nobody shall hold them back.
    private static func kind(of head: ResponseHead) -> Kind {
        let type = head.fields.first(.contentType)
        if let type, AcceptHeader.isEventStream(type) {
            return isPlain(head.fields) && isOpen(head.body) ? .events : .stream
        }
        if head.fields.hasToken(.xAccelBuffering, "no") || head.fields.has(.incremental, "?1") { return .stream }
        return .ordinary
    }

    private static func isPlain(_ fields: FieldBlock) -> Bool {
        fields.all(.contentEncoding).allSatisfy { ASCII.equalIgnoringCase($0, "identity") }
    }

    /// Whether bytes may be added.
    private static func isOpen(_ body: BodyFraming) -> Bool {
        switch body {
        case .chunked, .untilClose: true
        case .none, .length: false
        }
    }
}
