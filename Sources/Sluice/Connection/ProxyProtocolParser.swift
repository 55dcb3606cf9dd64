internal import SluiceIO

/// Reads the header of the PROXY protocol, version 1 (a line of text) or 2 (binary), with which a proxy begins a connection
/// that it passes on: it names the client. The rules are those of HAProxy's `doc/proxy-protocol.txt`.
///
/// It is given bytes as they come and takes none that stand behind the header.
struct ProxyProtocolParser: Sendable {
    enum Outcome: Equatable {
        /// All that was given belongs to the header, and more of it has to come.
        case needMore
        /// The header ended with so many of the bytes that were given.
        ///
        /// `source` is the client; `nil`: the proxy names none, as it speaks for itself (`LOCAL`, a health check) or does not
        /// know (`UNKNOWN`, `AF_UNSPEC`).
        case header(consumed: Int, source: SocketAddress?)
        /// It is no header; why.
        case refused(String)
    }

    /// Bytes that a header may have.
    static let longest = 16 + longestBlock
    /// Bytes of version 1, its CRLF among them.
    private static let longestLine = 107
    /// Bytes of version 2 behind its first 16: addresses take 216 at most, the rest is for extensions.
    private static let longestBlock = 4096
    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]
    private static let line = Array("PROXY ".utf8)

    /// What came of it.
    private var held: [UInt8] = []

    /// Nothing came yet.
    var isEmpty: Bool { held.isEmpty }

    mutating func parse(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        let before = held.count
        unsafe held.append(contentsOf: bytes.prefix(Self.longest - before))
        let outcome = read()
        guard case .header(let length, let source) = outcome else { return outcome }
        // Of its length, what was taken before is none of these bytes.
        return .header(consumed: length - before, source: source)
    }

    private func read() -> Outcome {
        if held.starts(with: Self.signature.prefix(held.count)) { return binary() }
        if held.starts(with: Self.line.prefix(held.count)) { return text() }
        return .refused("what came is no header")
    }

    // MARK: Version 1

    private func text() -> Outcome {
        guard let end = held.prefix(Self.longestLine).firstIndex(of: 10) else {
            return held.count < Self.longestLine ? .needMore : .refused("the line is longer than 107 bytes")
        }
        let line = held[..<end].dropLast()
        guard end > 0, held[end - 1] == 13, !line.contains(13) else {
            return .refused("the line does not end with CRLF")
        }
        let fields = line.split(separator: 0x20, omittingEmptySubsequences: false)
        // Whatever else stands there is to be ignored.
        if fields.count >= 2, fields[1].elementsEqual("UNKNOWN".utf8) { return .header(consumed: end + 1, source: nil) }
        guard fields.count == 6 else { return .refused("the line has not the form of version 1") }
        let isV6 = fields[1].elementsEqual("TCP6".utf8)
        guard isV6 || fields[1].elementsEqual("TCP4".utf8) else { return .refused("the protocol is not TCP4 or TCP6") }
        guard let source = Self.address(fields[2], isV6: isV6), Self.address(fields[3], isV6: isV6) != nil else {
            return .refused("an address is none of its protocol")
        }
        guard let port = Self.port(fields[4]), Self.port(fields[5]) != nil else {
            return .refused("a port is no number from 0 to 65535")
        }
        return .header(consumed: end + 1, source: .ip(source, port: port))
    }

    private static func address(_ text: ArraySlice<UInt8>, isV6: Bool) -> IPAddress? {
        text.contains(UInt8(ascii: ":")) == isV6 ? IPAddress(ascii: text) : nil
    }

    private static func port(_ text: ArraySlice<UInt8>) -> UInt16? {
        guard (1...5).contains(text.count), text.count == 1 || text.first != 0x30 else { return nil }
        var value: UInt32 = 0
        for byte in text {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + UInt32(byte - 0x30)
        }
        return UInt16(exactly: value)
    }

    // MARK: Version 2

    private func binary() -> Outcome {
        guard held.count >= 16 else { return .needMore }
        guard held[12] >> 4 == 2 else { return .refused("the version is not 2") }
        let isLocal = held[12] & 0xF == 0
        guard isLocal || held[12] & 0xF == 1 else { return .refused("the command is not LOCAL or PROXY") }
        let block = Int(held[14]) << 8 | Int(held[15])
        guard block <= Self.longestBlock else { return .refused("the header is longer than \(Self.longest) bytes") }
        let end = 16 + block
        guard held.count >= end else { return .needMore }
        // With LOCAL the rest means nothing, whatever it is.
        return isLocal ? .header(consumed: end, source: nil) : named(by: held[16..<end], end)
    }

    private func named(by block: ArraySlice<UInt8>, _ end: Int) -> Outcome {
        let size: Int
        switch held[13] {
        case 0x00: return .header(consumed: end, source: nil)
        case 0x11: size = 12
        case 0x21: size = 36
        case 0x31: size = 216
        case 0x12, 0x22, 0x32: return .refused("it speaks of datagrams, and this is a connection")
        default: return .refused("the address family is not known")
        }
        guard block.count >= size else { return .refused("the header is too short for its addresses") }
        if let problem = problem(ofExtensions: block.dropFirst(size), end) { return .refused(problem) }
        return .header(consumed: end, source: Self.source(block.prefix(size)))
    }

    private static func source(_ block: ArraySlice<UInt8>) -> SocketAddress {
        func number(_ offset: Int, _ count: Int) -> UInt64 {
            block.dropFirst(offset).prefix(count).reduce(0) { $0 << 8 | UInt64($1) }
        }
        switch block.count {
        case 12:
            return .ip(
                IPAddress(v4: UInt32(truncatingIfNeeded: number(0, 4))), port: UInt16(truncatingIfNeeded: number(8, 2)))
        case 36:
            return .ip(
                IPAddress(high: number(0, 8), low: number(8, 8)), port: UInt16(truncatingIfNeeded: number(32, 2)))
        default: return .unix(String(decoding: block.prefix(108).prefix { $0 != 0 }, as: UTF8.self))
        }
    }

    /// Extensions (type, length, value) are of no use here, but they have to be whole, and a checksum has to be right.
    private func problem(ofExtensions extensions: ArraySlice<UInt8>, _ end: Int) -> String? {
        let malformed = "an extension is malformed"
        var rest = extensions
        var checksum: ArraySlice<UInt8>?
        while let type = rest.first {
            let start = rest.startIndex
            guard rest.count >= 3 else { return malformed }
            let length = Int(rest[start + 1]) << 8 | Int(rest[start + 2])
            rest = rest.dropFirst(3)
            guard rest.count >= length else { return malformed }
            if type == 0x03 {
                guard length == 4, checksum == nil else { return malformed }
                checksum = rest.prefix(4)
            }
            rest = rest.dropFirst(length)
        }
        guard let checksum else { return nil }
        // Of the whole header, with zeros where the sum itself stands.
        var sum = CRC32C()
        sum.add(held[..<checksum.startIndex])
        sum.add([0, 0, 0, 0])
        sum.add(held[checksum.endIndex..<end])
        return checksum.reduce(0) { $0 << 8 | UInt32($1) } == sum.value ? nil : "the checksum is wrong"
    }
}
