/// A network: an address and how many of its leading bits count.
package struct IPNetwork: Hashable, Sendable {
    private let base: IPAddress
    private let bits: UInt8  // of 128; an IPv4 network has 96 more than its text says
    private let isV4: Bool

    /// Parses `10.0.0.0/8`, `::1/128`, or one bare address. Bits behind the prefix are ignored.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first) else { return nil }
        let isWritten4 = !first.utf8.contains(UInt8(ascii: ":"))
        var bits: UInt8 = 128
        if parts.count == 2 {
            let digits = parts[1].utf8
            guard (1...3).contains(digits.count), digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
                digits.count == 1 || digits.first != 0x30,
                let prefix = UInt8(parts[1]), prefix <= (isWritten4 ? 32 : 128)
            else { return nil }
            bits = isWritten4 ? prefix + 96 : prefix
        }
        self.bits = bits
        self.base = Self.masked(address, bits)
        // ::/0 is every IPv6 address; that IPv4 is kept as mapped IPv6 is our affair.
        self.isV4 = address.isV4 && bits >= 96
    }

    /// Whether an address lies in the network.
    package func contains(_ address: IPAddress) -> Bool {
        address.isV4 == isV4 && Self.masked(address, bits) == base
    }

    /// Whether all of another network lies in it.
    package func contains(_ other: IPNetwork) -> Bool {
        other.isV4 == isV4 && bits <= other.bits && Self.masked(other.base, bits) == base
    }

    private static func masked(_ address: IPAddress, _ bits: UInt8) -> IPAddress {
        let bits = UInt64(bits)
        // Swift's shift operators give zero when they shift everything out.
        let high = bits >= 64 ? UInt64.max : ~(UInt64.max >> bits)
        let low = bits <= 64 ? 0 : ~(UInt64.max >> (bits - 64))
        return IPAddress(high: address.high & high, low: address.low & low)
    }
}

extension IPNetwork: CustomStringConvertible {
    package var description: String { "\(base)/\(isV4 ? bits - 96 : bits)" }
}
