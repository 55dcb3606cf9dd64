internal import SluiceHTTP

/// A host that a route is for: an exact name, or `*.` and a name for exactly one label more. Compared without case,
/// port and a last dot.
struct HostPattern: Sendable, Hashable {
    /// The name in lower case; behind `*` it begins with its dot.
    private let name: [UInt8]
    private let isWildcard: Bool

    init(_ text: String) throws(PatternError) {
        guard !text.isEmpty else { throw PatternError(text, "a host is not empty; leave it out to match every host") }
        guard text != "*" else { throw PatternError(text, "leave the host out to match every host") }
        let isWildcard = text.hasPrefix("*.")
        var name = text.utf8.dropFirst(isWildcard ? 1 : 0).map(ASCII.lowered)
        let isLiteral = name.first == UInt8(ascii: "[") && name.last == UInt8(ascii: "]")
        if !isLiteral, name.last == UInt8(ascii: "."), name.count > 1 { name.removeLast() }
        for byte in name {
            switch byte {
            case UInt8(ascii: "*"):
                throw PatternError(text, "\"*\" stands for the first label alone, such as \"*.example.com\"")
            case 0x80...:
                throw PatternError(text, "a host is written in ASCII (\"xn--...\"), as clients send it")
            case UInt8(ascii: ":") where !isLiteral:
                throw PatternError(text, "a host has no port here; an IPv6 address stands in brackets")
            case 0x00...0x20, 0x7F, UInt8(ascii: "/"), UInt8(ascii: "@"), UInt8(ascii: "?"), UInt8(ascii: "#"):
                throw PatternError(text, "a host is a name or an address alone, such as \"events.example.com\"")
            default: continue
            }
        }
        let labels = name.dropFirst(isWildcard ? 1 : 0).split(
            separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.allSatisfy({ !$0.isEmpty }) else { throw PatternError(text, "a host has no empty labels") }
        self.name = name
        self.isWildcard = isWildcard
    }

    /// Whether it is the host of a request's authority.
    func matches(_ authority: ArraySlice<UInt8>) -> Bool {
        let host = Self.host(of: authority)
        let label = host.count - name.count
        guard isWildcard ? label > 0 : label == 0 else { return false }
        guard zip(host.dropFirst(label), name).allSatisfy({ ASCII.lowered($0) == $1 }) else { return false }
        return !isWildcard || !host.prefix(label).contains(UInt8(ascii: "."))
    }

    /// Whether it fits every host that `other` fits.
    func covers(_ other: HostPattern) -> Bool {
        if isWildcard == other.isWildcard { return name == other.name }
        return isWildcard && matches(other.name[...])
    }

    /// An authority without its port and its last dot.
    private static func host(of authority: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        if authority.first == UInt8(ascii: "[") {
            guard let end = authority.firstIndex(of: UInt8(ascii: "]")) else { return authority }
            return authority[...end]
        }
        let host = authority.prefix { $0 != UInt8(ascii: ":") }
        return host.last == UInt8(ascii: ".") ? host.dropLast() : host
    }
}
