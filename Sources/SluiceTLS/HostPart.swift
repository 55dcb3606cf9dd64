/// The host of an authority: without its port, and an IPv6 address without its brackets.
enum HostPart {
    static func of(_ authority: some Collection<UInt8>) -> [UInt8] {
        let bytes = Array(authority)
        if bytes.first == UInt8(ascii: "["), let end = bytes.firstIndex(of: UInt8(ascii: "]")) {
            return Array(bytes[1..<end])
        }
        return Array(bytes.prefix { $0 != UInt8(ascii: ":") })
    }
}
