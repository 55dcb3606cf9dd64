import SluiceIO
import Testing

@testable import Sluice

/// Version 2: the signature, then command, family and what follows.
private func binary(_ command: UInt8, _ family: UInt8, _ block: [UInt8]) -> [UInt8] {
    [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10, command, family]
        + [UInt8(truncatingIfNeeded: block.count >> 8), UInt8(truncatingIfNeeded: block.count)] + block
}

private let v4: [UInt8] = [192, 0, 2, 7, 198, 51, 100, 1, 0xC0, 0x01, 0x01, 0xBB]
private let v6: [UInt8] =
    [0x20, 0x01, 0x0D, 0xB8] + Array(repeating: 0, count: 11) + [7] + Array(repeating: 0, count: 15) + [1]
    + [0xFF, 0xFF, 0, 80]
private let unix: [UInt8] = Array("/run/client".utf8) + Array(repeating: 0, count: 216 - 11)

private func extended(_ type: UInt8, _ value: [UInt8]) -> [UInt8] {
    [type, UInt8(truncatingIfNeeded: value.count >> 8), UInt8(truncatingIfNeeded: value.count)] + value
}

/// A header with a checksum between two other extensions; `spoilt` is added to it.
private func summed(spoilt: UInt32 = 0) -> [UInt8] {
    let before = extended(0x04, [1, 2])
    let after = extended(0xE0, Array(repeating: 9, count: 300))
    var sum = CRC32C()
    sum.add(binary(0x21, 0x11, v4 + before + extended(0x03, [0, 0, 0, 0]) + after))
    let value = sum.value &+ spoilt
    let bytes = (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    return binary(0x21, 0x11, v4 + before + extended(0x03, bytes) + after)
}

private let longestLine = "PROXY UNKNOWN \(String(repeating: "f", count: 91))\r\n"

private let good: [(header: [UInt8], client: String?)] = [
    (Array("PROXY TCP4 192.0.2.7 198.51.100.1 49153 443\r\n".utf8), "192.0.2.7:49153"),
    (Array("PROXY TCP4 255.255.255.255 0.0.0.0 0 65535\r\n".utf8), "255.255.255.255:0"),
    (Array("PROXY TCP6 2001:db8::7 ::1 65535 0\r\n".utf8), "[2001:db8::7]:65535"),
    (Array("PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n".utf8), "192.0.2.7:1"),
    (Array("PROXY UNKNOWN\r\n".utf8), nil),
    (Array("PROXY UNKNOWN what ever  stands there\r\n".utf8), nil),
    (Array(longestLine.utf8), nil),
    (binary(0x21, 0x11, v4), "192.0.2.7:49153"),
    (binary(0x21, 0x21, v6), "[2001:db8::7]:65535"),
    (binary(0x21, 0x31, unix), "unix:/run/client"),
    (binary(0x21, 0x31, Array(repeating: 0, count: 216)), "unix:"),
    (binary(0x21, 0x11, v4 + extended(0x04, []) + extended(0x02, Array("a.example".utf8))), "192.0.2.7:49153"),
    (binary(0x21, 0x11, v4 + extended(0xEA, Array(repeating: 1, count: 4096 - 12 - 3))), "192.0.2.7:49153"),
    (summed(), "192.0.2.7:49153"),
    (binary(0x21, 0x00, []), nil), (binary(0x21, 0x00, [1, 2, 3]), nil),
    (binary(0x20, 0x00, []), nil), (binary(0x20, 0x11, v4), nil), (binary(0x20, 0xFF, [1, 2, 3]), nil),
]

private let bad: [[UInt8]] =
    [
        // No header at all.
        "GET / HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "proxy TCP4 1.1.1.1 1.1.1.1 1 1\r\n", "\r\n\r\n\r\n",
        "PROXY\r\n", "PROXYTCP4 1.1.1.1 1.1.1.1 1 1\r\n", " PROXY UNKNOWN\r\n", "\0", "\u{16}\u{3}\u{1}",
        // The form.
        "PROXY \r\n", "PROXY TCP4\r\n", "PROXY TCP4 1.1.1.1 1.1.1.1 1\r\n", "PROXY TCP4 1.1.1.1 1.1.1.1 1 1 1\r\n",
        "PROXY TCP4  1.1.1.1 1.1.1.1 1 1\r\n", "PROXY  TCP4 1.1.1.1 1.1.1.1 1 1\r\n",
        "PROXY TCP4 1.1.1.1 1.1.1.1 1 1 \r\n", "PROXY\tTCP4 1.1.1.1 1.1.1.1 1 1\r\n",
        "PROXY TCP4\t1.1.1.1 1.1.1.1 1 1\r\n", "PROXY TCP5 1.1.1.1 1.1.1.1 1 1\r\n",
        "PROXY UNKNOWNS\r\n", "PROXY unknown\r\n", "PROXY UDP4 1.1.1.1 1.1.1.1 1 1\r\n",
        // The end of the line.
        "PROXY TCP4 1.1.1.1 1.1.1.1 1 1\n", "PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\r\n", "PROXY UNKNOWN a\rb\r\n",
        "PROXY UNKNOWN\n", "PROXY \n", longestLine.replacing("\r\n", with: "f\r\n"),
        "PROXY UNKNOWN \(String(repeating: "f", count: 200))",
        // Addresses.
        "PROXY TCP4 ::1 ::1 1 1\r\n", "PROXY TCP6 1.1.1.1 1.1.1.1 1 1\r\n", "PROXY TCP4 1.1.1.1 ::1 1 1\r\n",
        "PROXY TCP4 1.1.1 1.1.1.1 1 1\r\n", "PROXY TCP4 1.1.1.256 1.1.1.1 1 1\r\n",
        "PROXY TCP4 01.1.1.1 1.1.1.1 1 1\r\n", "PROXY TCP6 ::1%eth0 ::1 1 1\r\n", "PROXY TCP6 [::1] ::1 1 1\r\n",
        "PROXY TCP6 1::2::3 ::1 1 1\r\n", "PROXY TCP4 localhost 1.1.1.1 1 1\r\n",
        "PROXY TCP4 1.1.1.1 1.1.1.\01 1 1\r\n",
        // Ports.
        "PROXY TCP4 1.1.1.1 1.1.1.1 65536 1\r\n", "PROXY TCP4 1.1.1.1 1.1.1.1 1 99999\r\n",
        "PROXY TCP4 1.1.1.1 1.1.1.1 -1 1\r\n", "PROXY TCP4 1.1.1.1 1.1.1.1 +1 1\r\n",
        "PROXY TCP4 1.1.1.1 1.1.1.1 01 1\r\n", "PROXY TCP4 1.1.1.1 1.1.1.1 00 1\r\n",
        "PROXY TCP4 1.1.1.1 1.1.1.1 1 0x1\r\n", "PROXY TCP4 1.1.1.1 1.1.1.1 1 000001\r\n",
    ].map { Array($0.utf8) } + [
        // Version, command, family.
        binary(0x11, 0x11, v4), binary(0x31, 0x11, v4), binary(0x22, 0x11, v4), binary(0x2F, 0x11, v4),
        binary(0x21, 0x12, v4), binary(0x21, 0x22, v6), binary(0x21, 0x32, unix), binary(0x21, 0x10, v4),
        binary(0x21, 0x01, v4), binary(0x21, 0x41, unix), binary(0x21, 0x33, unix),
        // Lengths.
        binary(0x21, 0x11, []), binary(0x21, 0x11, v4.dropLast()), binary(0x21, 0x21, v6.dropLast()),
        binary(0x21, 0x31, unix.dropLast()),
        binary(0x21, 0x11, v4 + extended(0xEA, Array(repeating: 1, count: 4096 - 12 - 2))),
        binary(0x20, 0, Array(repeating: 0, count: 4097)),
        // Extensions.
        binary(0x21, 0x11, v4 + [4]), binary(0x21, 0x11, v4 + [4, 0]), binary(0x21, 0x11, v4 + [4, 0, 1]),
        binary(0x21, 0x11, v4 + [4, 0xFF, 0xFF, 0]),
        binary(0x21, 0x11, v4 + extended(0x04, [1]) + [0]), binary(0x21, 0x11, v4 + extended(0x03, [0, 0, 0])),
        binary(0x21, 0x11, v4 + extended(0x03, [0, 0, 0, 0])), summed(spoilt: 1),
        binary(0x21, 0x11, v4 + extended(0x03, [0, 0, 0, 0]) + extended(0x03, [0, 0, 0, 0])),
    ]

struct ProxyProtocolParserTests {
    /// What comes of bytes that come in pieces: how many belong to the header, and the client, or why it is none.
    private enum End: Equatable {
        case header(Int, client: String?)
        case refused
        case waits
    }

    private func end(of input: [UInt8], cutAt cuts: [Int] = []) -> End {
        var parser = ProxyProtocolParser()
        var start = 0
        for end in cuts.sorted() + [input.count] where end > start || cuts.isEmpty {
            switch unsafe input[start..<end].withUnsafeBytes({ unsafe parser.parse($0) }) {
            case .needMore: start = end
            case .header(let consumed, let source):
                #expect(consumed > 0 && consumed <= end - start)
                return .header(start + consumed, client: source.map { "\($0)" })
            case .refused(let reason):
                #expect(!reason.isEmpty)
                return .refused
            }
        }
        return .waits
    }

    @Test func `a header names the client, wherever it is cut and whatever follows it`() {
        for (header, client) in good {
            let expected = End.header(header.count, client: client)
            for tail in [[], Array("GET / HTTP/1.1\r\n\r\n".utf8), Array(repeating: UInt8(0), count: 9000)] {
                #expect(end(of: header + tail) == expected)
                #expect(end(of: header + tail, cutAt: Array(1...header.count)) == expected)
            }
            for cut in stride(from: 1, to: header.count, by: max(1, header.count / 300)) {
                #expect(end(of: header, cutAt: [cut]) == expected)
                #expect(end(of: Array(header[..<cut])) == .waits)
            }
        }
    }

    @Test func `what is no header is refused, wherever it is cut`() {
        for input in bad {
            let words = String(decoding: input.prefix(120), as: UTF8.self)
            #expect(end(of: input) == .refused, "\(words)")
            #expect(end(of: input, cutAt: Array(0..<input.count)) == .refused, "\(words)")
            #expect(end(of: input + [13, 10], cutAt: [input.count / 2]) == .refused, "\(words)")
        }
    }

    @Test func `who speaks something else is refused by its first byte that no header has`() {
        #expect(end(of: Array("P".utf8)) == .waits)
        #expect(end(of: Array("PO".utf8)) == .refused)
        #expect(end(of: Array("PROXYs".utf8)) == .refused)
        #expect(end(of: [22]) == .refused)
        #expect(end(of: [13, 10, 13, 10, 1]) == .refused)
    }

    @Test func `spoilt headers and random bytes say the same however they are cut`() {
        var random = SplitMix(state: 11)
        for round in 0..<4000 {
            guard var input = good.randomElement(using: &random)?.header else { return }
            if round % 4 == 0 {
                input = (0..<Int.random(in: 0...300, using: &random)).map { _ in
                    .random(in: .min ... .max, using: &random)
                }
            }
            if round % 8 == 0 { input = binary(0x21, .random(in: .min ... .max, using: &random), input) }
            for _ in 0..<Int.random(in: 1...3, using: &random) where !input.isEmpty {
                input[Int.random(in: 0..<input.count, using: &random)] = .random(in: .min ... .max, using: &random)
            }
            let cuts = (0..<5).map { _ in Int.random(in: 0...input.count, using: &random) }
            #expect(end(of: input) == end(of: input, cutAt: cuts), "\(input) cut at \(cuts)")
        }
    }

    @Test func `the checksum is Castagnoli's`() {
        var sum = CRC32C()
        sum.add("123456789".utf8)
        #expect(sum.value == 0xE306_9283)
    }
}
