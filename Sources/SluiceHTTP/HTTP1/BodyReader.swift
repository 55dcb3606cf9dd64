/// Takes a body off the input by its framing: the same for requests and responses.
struct BodyReader: Sendable {
    enum Step {
        case more
        /// Bytes of the body, in the input.
        case data(Range<Int>)
        case end(trailers: FieldBlock?)
    }

    private enum State: Sendable {
        case done
        case length(UInt64)
        case untilClose
        case chunkLine
        case chunkData(UInt64)
        case chunkReturn
        case chunkLineFeed
        case trailers
    }

    private var state: State
    private var line = ChunkLine()
    private var overhead: UInt64 = 0
    private var trailers = FieldSection()
    private var trailerBytes = HeadBytes()

    init(_ framing: BodyFraming) {
        switch framing {
        case .none: state = .done
        case .length(let length): state = .length(length)
        case .chunked: state = .chunkLine
        case .untilClose: state = .untilClose
        }
    }

    /// Whether the end of the connection is the proper end of the body.
    var endsWithConnection: Bool {
        if case .untilClose = state { true } else { false }
    }

    /// Takes bytes from `index` on.
    mutating func read(
        _ input: UnsafeRawBufferPointer, _ index: inout Int, limits: HTTP1Limits
    ) throws(HTTPError) -> Step {
        while true {
            switch state {
            case .done:
                return .end(trailers: nil)
            case .length(let remaining):
                guard remaining > 0 else { return .end(trailers: nil) }
                guard let (data, rest) = unsafe BodyReader.take(remaining, of: input, &index) else { return .more }
                state = .length(rest)
                return .data(data)
            case .untilClose:
                guard let (data, _) = unsafe BodyReader.take(.max, of: input, &index) else { return .more }
                return .data(data)
            case .chunkData(let remaining):
                guard let (data, rest) = unsafe BodyReader.take(remaining, of: input, &index) else { return .more }
                state = rest == 0 ? .chunkReturn : .chunkData(rest)
                return .data(data)
            case .chunkLine:
                guard try unsafe line.scan(input, &index, limit: limits.chunkLine) else { return .more }
                try beginChunk(limits)
            case .chunkReturn, .chunkLineFeed:
                guard index < input.count else { return .more }
                try unsafe endChunk(input[index])
                index &+= 1
            case .trailers:
                return try unsafe readTrailers(input, &index, limits)
            }
        }
    }

    /// As much of `remaining` as the input has, and what then remains; nil when it has nothing.
    private static func take(
        _ remaining: UInt64, of input: UnsafeRawBufferPointer, _ index: inout Int
    ) -> (Range<Int>, UInt64)? {
        let available = input.count &- index
        guard available > 0 else { return nil }
        let count = UInt64(available) <= remaining ? available : Int(truncatingIfNeeded: remaining)
        let start = index
        index &+= count
        return (start..<index, remaining &- UInt64(count))
    }

    private mutating func beginChunk(_ limits: HTTP1Limits) throws(HTTPError) {
        // A plain line costs nothing, and data pays for extensions; what is left over is what an attacker sends.
        let cost = overhead &+ UInt64(line.length)
        let paid = (line.size < 1 << 32 ? line.size &* 2 : 1 << 33) &+ 16
        overhead = cost > paid ? cost &- paid : 0
        guard overhead <= UInt64(limits.chunkOverhead) else { throw .bad("too many chunk extensions") }
        state = line.size == 0 ? .trailers : .chunkData(line.size)
        line = ChunkLine()
    }

    private mutating func endChunk(_ byte: UInt8) throws(HTTPError) {
        if case .chunkReturn = state {
            guard byte == ASCII.carriageReturn else { throw .bad("chunk data longer than its size") }
            state = .chunkLineFeed
        } else {
            guard byte == ASCII.lineFeed else { throw .bad("bare CR after chunk data") }
            state = .chunkLine
        }
    }

    private mutating func readTrailers(
        _ input: UnsafeRawBufferPointer, _ index: inout Int, _ limits: HTTP1Limits
    ) throws(HTTPError) -> Step {
        trailerBytes.begin(at: index)
        let allowance = limits.head &- trailerBytes.stored.count
        let end = min(input.count, index &+ max(allowance, 0))
        let delta = trailerBytes.delta
        while true {
            switch try unsafe trailers.scan(input, &index, to: end, delta: delta, limits: limits) {
            case .more:
                guard end == input.count else { throw HTTPError(status: 431, reason: "trailers too large") }
                unsafe trailerBytes.store(input, upTo: index)
                return .more
            case .field:
                break
            case .end:
                state = .done
                let bytes = unsafe trailerBytes.take(input, upTo: index)
                return .end(trailers: try TrailerRules.block(bytes, trailers.take()))
            }
        }
    }
}

/// Which trailers are let in (RFC 9110, 6.5.1).
enum TrailerRules {
    enum Verdict {
        case allowed, dropped, refused
    }

    /// The trailers that may pass; nil when there are none.
    static func block(_ bytes: [UInt8], _ entries: [FieldBlock.Entry]) throws(HTTPError) -> FieldBlock? {
        var allowed: [FieldBlock.Entry] = []
        for var entry in entries {
            entry.id = unsafe bytes.withUnsafeBytes { unsafe FieldID.lookup(.init(rebasing: $0[entry.name])) }
            switch verdict(entry.id) {
            case .allowed: allowed.append(entry)
            case .dropped: break
            case .refused: throw .bad("a field that must not be a trailer")
            }
        }
        return allowed.isEmpty ? nil : FieldBlock(bytes: bytes, entries: allowed)
    }

    /// Framing, routing and credentials are an attack; what only makes no sense behind the body is left out.
    /// Those of made or passed on fields that may be sent; nil when there are none.
    static func passed(_ fields: FieldBlock) -> FieldBlock? {
        var fields = fields
        fields.removeAll { id, _, _ in verdict(id) != .allowed }
        return fields.isEmpty ? nil : fields
    }

    static func verdict(_ id: FieldID) -> Verdict {
        switch id {
        case .contentLength, .transferEncoding, .host, .authorization: .refused
        case .connection, .keepAlive, .proxyConnection, .te, .trailer, .upgrade, .expect, .maxForwards,
            .proxyAuthorization, .cookie, .setCookie, .contentType, .contentEncoding, .contentRange, .range,
            .cacheControl, .ifMatch, .ifNoneMatch, .ifModifiedSince, .location, .vary, .lastEventID, .origin,
            .forwarded, .xForwardedFor, .xForwardedHost, .xForwardedProto, .xRealIP:
            .dropped
        default: .allowed
        }
    }
}
