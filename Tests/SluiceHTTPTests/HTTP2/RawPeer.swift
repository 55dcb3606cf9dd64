import SluiceHTTP

/// A frame, as it is on the wire (RFC 9113, 4.1).
struct WireFrame: Equatable, CustomStringConvertible {
    enum Kind: UInt8 {
        case data, headers, priority, reset, settings, pushPromise, ping, goAway, windowUpdate, continuation
    }

    var type: UInt8
    var flags: UInt8
    var stream: UInt32
    var payload: [UInt8]

    var bytes: [UInt8] {
        let length = payload.count
        return [UInt8(length >> 16), UInt8(length >> 8 & 255), UInt8(length & 255), type, flags]
            + bigEndian(stream) + payload
    }

    /// The error that a RST_STREAM or a GOAWAY carries.
    var error: UInt32 {
        payload.dropFirst(type == Kind.goAway.rawValue ? 4 : 0).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    var description: String {
        switch Kind(rawValue: type) {
        case .reset: "reset \(stream) \(error)"
        case .goAway: "goAway \(error)"
        case let kind: "\(kind.map { "\($0)" } ?? "unknown") \(stream) \(flags) \(payload.count)"
        }
    }
}

func bigEndian(_ number: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
}

func frame(_ kind: WireFrame.Kind, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
    WireFrame(type: kind.rawValue, flags: flags, stream: stream, payload: payload).bytes
}

func setting(_ id: UInt16, _ value: UInt32) -> [UInt8] { [UInt8(id >> 8), UInt8(id & 255)] + bigEndian(value) }

/// A header block of literal fields that are not kept in a table (RFC 7541, 6.2.2).
func block(_ fields: [(String, String)]) -> [UInt8] {
    fields.flatMap { [0] + hpack(bytes($0.0)) + hpack(bytes($0.1)) }
}

/// A literal field that is kept in the table (RFC 7541, 6.2.1).
func indexed(_ name: String, _ value: String) -> [UInt8] { [0x40] + hpack(bytes(name)) + hpack(bytes(value)) }

private func hpack(_ text: [UInt8]) -> [UInt8] {
    guard text.count >= 127 else { return [UInt8(text.count)] + text }
    var rest = text.count - 127
    var length: [UInt8] = [127]
    while rest >= 128 {
        length.append(UInt8(rest % 128 + 128))
        rest /= 128
    }
    return length + [UInt8(rest)] + text
}

/// HEADERS and, where one frame does not hold the block, CONTINUATION.
func headers(_ stream: UInt32, _ block: [UInt8], ends: Bool = true, pieces: Int = 16384) -> [UInt8] {
    var rest = block[...]
    var result: [UInt8] = []
    repeat {
        let piece = Array(rest.prefix(pieces))
        rest = rest.dropFirst(pieces)
        let isFirst = result.isEmpty
        let flags: UInt8 = (isFirst && ends ? 1 : 0) | (rest.isEmpty ? 4 : 0)
        result += frame(isFirst ? .headers : .continuation, flags: flags, stream: stream, piece)
    } while !rest.isEmpty
    return result
}

func request(_ stream: UInt32, _ fields: [(String, String)] = HTTP2Peer.get(), ends: Bool = true) -> [UInt8] {
    headers(stream, block(fields), ends: ends)
}

/// What a client sends first: preface, SETTINGS, the answer to the server's.
let opening = HTTP2Session.preface + frame(.settings) + frame(.settings, flags: 1)

/// Makes input by hand, for what no decent client sends, and reads the frames that come back.
final class RawPeer {
    let session: HTTP2Session
    var now: UInt64 = 1000
    private(set) var isOpen = true
    private(set) var events: [HTTP2Event] = []
    private var unread: [UInt8] = []
    private(set) var frames: [WireFrame] = []
    /// Whether the output is taken after each piece of input.
    var reads = true

    init(_ limits: HTTP2Limits = HTTP2Limits(), opening bytes: [UInt8] = opening) throws {
        session = try HTTP2Session(limits: limits)
        if !bytes.isEmpty { send(bytes) }
    }

    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        isOpen = unsafe bytes.withUnsafeBytes { unsafe session.receive($0, nowMilliseconds: now) }
        while let event = session.nextEvent() { events.append(event) }
        if reads { read() }
        return isOpen
    }

    /// Takes all of the output.
    func read() {
        while session.hasOutput {
            unread += unsafe Array(session.output)
            unsafe session.consumeOutput(session.output.count)
        }
        while unread.count >= 9 {
            let length = unread[..<3].reduce(0) { $0 << 8 | Int($1) }
            guard unread.count >= 9 + length else { return }
            let stream = unread[5..<9].reduce(0) { $0 << 8 | UInt32($1) }
            frames.append(
                WireFrame(type: unread[3], flags: unread[4], stream: stream, payload: Array(unread[9..<9 + length])))
            unread.removeFirst(9 + length)
        }
    }

    /// The events since the last call, as lines.
    func took() -> [String] {
        while let event = session.nextEvent() { events.append(event) }
        defer { events = [] }
        return events.map(summary)
    }

    /// The frames of these kinds since the last call, as lines.
    func got(_ kinds: WireFrame.Kind...) -> [String] {
        read()
        defer { frames = [] }
        return frames.filter { frame in kinds.isEmpty || kinds.contains { $0.rawValue == frame.type } }.map(
            \.description)
    }
}
