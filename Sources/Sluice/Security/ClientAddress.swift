package import SluiceIO

/// Who a request comes from when proxies stand before the gateway.
package enum ClientAddress {
    /// The address of the client: the peer's own, unless the peer is a trusted proxy. Then `X-Forwarded-For` is read
    /// from the right, as every proxy appends whom it was asked by: the first address that is not trusted is the
    /// client. Reading stops at anything that is not an address, with the last address that a trusted proxy vouched
    /// for; what stands to the left of either may be made up.
    ///
    /// - Parameters:
    ///   - peer: the other end of the connection.
    ///   - trusted: networks whose proxies are believed.
    ///   - forwardedFor: the values of all X-Forwarded-For fields, in order.
    package static func find(
        peer: IPAddress, trusted: [IPNetwork], forwardedFor: [ArraySlice<UInt8>]
    ) -> IPAddress {
        func isTrusted(_ address: IPAddress) -> Bool { trusted.contains { $0.contains(address) } }
        guard !forwardedFor.isEmpty, isTrusted(peer) else { return peer }
        var client = peer
        for field in forwardedFor.reversed() {
            var rest = field
            while true {
                let comma = rest.lastIndex(of: UInt8(ascii: ","))
                let element = comma.map { rest[($0 + 1)...] } ?? rest
                guard let address = address(trimmed(element)) else { return client }
                client = address
                guard isTrusted(address) else { return client }
                guard let comma else { break }
                rest = rest[..<comma]
            }
        }
        return client
    }

    /// An address as proxies write it: alone, or with a port; an IPv6 address with a port stands in brackets.
    private static func address(_ text: ArraySlice<UInt8>) -> IPAddress? {
        if text.first == UInt8(ascii: "[") {
            guard let end = text.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            let inside = text[(text.startIndex + 1)..<end]
            guard inside.contains(UInt8(ascii: ":")), isPort(text[(end + 1)...]) else { return nil }
            return IPAddress(ascii: inside)
        }
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")), text.contains(UInt8(ascii: ".")),
            colon == text.lastIndex(of: UInt8(ascii: ":"))
        else { return IPAddress(ascii: text) }
        return isPort(text[colon...]) ? IPAddress(ascii: text[..<colon]) : nil
    }

    /// Nothing, or a colon and 1 to 5 digits: the number itself is of no use here.
    private static func isPort(_ text: ArraySlice<UInt8>) -> Bool {
        guard let first = text.first else { return true }
        let digits = text.dropFirst()
        return first == UInt8(ascii: ":") && (1...5).contains(digits.count)
            && digits.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        var text = text.drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return text
    }
}
