import SluiceHTTP

/// What a parser says about some input, as readable lines: `body` lines that follow each other are joined, because how
/// a body is cut follows the input and means nothing.
struct Transcript: Equatable, CustomStringConvertible {
    private(set) var lines: [String] = []
    private var body: [UInt8] = []

    mutating func add(body bytes: some Sequence<UInt8>) { body += bytes }

    mutating func add(_ line: String) {
        flush()
        lines.append(line)
    }

    mutating func flush() {
        if !body.isEmpty { lines.append("body " + text(body)) }
        body = []
    }

    var description: String { lines.joined(separator: "\n") }
    var hasFailed: Bool { lines.last?.hasPrefix("failed") ?? false }
}

/// Bytes as text, with everything unprintable as an escape.
func text(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { byte in
        (0x20..<0x7F).contains(byte) ? String(UnicodeScalar(byte)) : "\\x" + String(byte, radix: 16)
    }.joined()
}

/// Bytes of a text whose scalars are all under 256: `\u{E9}` is one byte.
func bytes(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } }

/// The input in pieces that end at the given places.
func pieces(_ input: [UInt8], cutAt cuts: [Int]) -> [ArraySlice<UInt8>] {
    var pieces: [ArraySlice<UInt8>] = []
    var start = 0
    for cut in cuts.sorted() + [input.count] where cut >= start && cut <= input.count {
        pieces.append(input[start..<cut])
        start = cut
    }
    return pieces
}

/// Runs a parser as a connection does: each piece until it needs more.
func runRequests(
    _ input: [UInt8], cutAt cuts: [Int] = [], limits: HTTP1Limits = HTTP1Limits(),
    each: (RequestHead) -> String = summary
) -> Transcript {
    var parser = RequestParser(limits: limits)
    var transcript = Transcript()
    for piece in pieces(input, cutAt: cuts) {
        var rest = Array(piece)
        while true {
            let (event, consumed) = unsafe rest.withUnsafeBytes { unsafe parser.parse($0) }
            switch event {
            case .head(let head): transcript.add(each(head))
            case .body(let range): transcript.add(body: rest[range])
            case .end(let trailers): transcript.add("end" + list(trailers))
            case .failed(let error): transcript.add("failed \(error)")
            case .needMore: break
            }
            rest.removeFirst(consumed)
            if case .needMore = event {
                if !rest.isEmpty { transcript.add("left \(rest.count) bytes") }
                break
            }
            if transcript.hasFailed { return transcript }
        }
    }
    transcript.flush()
    return transcript
}

/// Runs a response parser over the answers to some methods; `closes` says that the upstream then closes.
func runResponses(
    _ input: [UInt8], to methods: [HTTPMethod] = [.get], cutAt cuts: [Int] = [], closes: Bool = false,
    limits: HTTP1Limits = HTTP1Limits()
) -> Transcript {
    var parser = ResponseParser(limits: limits)
    var transcript = Transcript()
    var methods = methods[...]
    if let method = methods.popFirst() { parser.expect(method: method) }
    func add(_ event: ResponseEvent, _ rest: [UInt8]) {
        switch event {
        case .informational(let head): transcript.add("informational \(head.status)" + list(head.fields))
        case .head(let head): transcript.add(summary(head))
        case .body(let range): transcript.add(body: rest[range])
        case .end(let trailers):
            transcript.add("end" + list(trailers))
            if let method = methods.popFirst() { parser.expect(method: method) }
        case .failed(let error): transcript.add("failed \(error)")
        case .needMore: break
        }
    }
    for piece in pieces(input, cutAt: cuts) {
        var rest = Array(piece)
        while true {
            let (event, consumed) = unsafe rest.withUnsafeBytes { unsafe parser.parse($0) }
            add(event, rest)
            rest.removeFirst(consumed)
            if case .needMore = event { break }
            if transcript.hasFailed { return transcript }
        }
    }
    if closes { add(parser.endOfInput(), []) }
    transcript.flush()
    return transcript
}

/// `GET /path?query host=a length(5) close 1.0 expect [Name: value]`, the usual left out.
func summary(_ head: RequestHead) -> String {
    var line = "\(head.method) \(text(head.target))"
    if let host = head.host { line += " host=" + text(host) }
    line += word(head.body) + word(head.version) + (head.keepAlive ? "" : " close")
    if head.expectsContinue { line += " expect" }
    return line
}

func summary(_ head: ResponseHead) -> String {
    "\(head.status)" + word(head.body) + word(head.version) + (head.keepAlive ? "" : " close")
}

private func word(_ body: BodyFraming) -> String {
    switch body {
    case .none: ""
    case .length(let length): " length(\(length))"
    case .chunked: " chunked"
    case .untilClose: " untilClose"
    }
}

private func word(_ version: HTTPVersion) -> String { version == .http10 ? " 1.0" : "" }

func list(_ fields: FieldBlock?) -> String {
    guard let fields, !fields.isEmpty else { return "" }
    var items: [String] = []
    fields.forEach { _, name, value in items.append(text(name) + ": " + text(value)) }
    return " [" + items.joined(separator: "; ") + "]"
}

/// A generator whose numbers are the same on every run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    // SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Some bits turned, bytes taken out, put in, or doubled.
func spoilt(_ input: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    let favourites = bytes("\r\n\0 \t:;,\"\\#=0f/")
    var input = input
    for _ in 0..<Int.random(in: 1...4, using: &random) where !input.isEmpty {
        let index = Int.random(in: 0..<input.count, using: &random)
        switch random.next() % 4 {
        case 0: input[index] ^= 1 << UInt8(random.next() % 8)
        case 1: input.remove(at: index)
        case 2: input.insert(favourites.randomElement(using: &random) ?? 0, at: index)
        default: input.insert(contentsOf: input[index..<min(input.count, index + 20)], at: index)
        }
    }
    return input
}
