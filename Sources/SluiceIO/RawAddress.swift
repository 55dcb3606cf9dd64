internal import CLinux

/// Between `SocketAddress` and the C structure that stands for `sockaddr_storage`.
enum RawAddress {
    static func kind(of address: SocketAddress) -> UInt8 {
        switch address {
        case .ip(let ip, _): UInt8(ip.isV4 ? SLUICE_ADDRESS_V4 : SLUICE_ADDRESS_V6)
        case .unix: UInt8(SLUICE_ADDRESS_UNIX)
        }
    }

    /// - Throws: `Errno.nameTooLong` for a path that does not fit into a socket address (107 bytes).
    static func encode(_ address: SocketAddress) throws(Errno) -> sluice_address {
        var raw = sluice_address()
        raw.kind = kind(of: address)
        switch address {
        case .ip(let ip, let port):
            raw.port = port
            raw.high = ip.high
            raw.low = ip.low
        case .unix(let path):
            let fits = unsafe withUnsafeMutableBytes(of: &raw.path) { target -> Bool in
                guard path.utf8.count < target.count, !path.utf8.contains(0) else { return false }
                unsafe target.copyBytes(from: path.utf8)
                return true
            }
            if !fits { throw .nameTooLong }
        }
        return raw
    }

    static func decode(_ raw: sluice_address) -> SocketAddress? {
        switch Int(raw.kind) {
        case Int(SLUICE_ADDRESS_V4), Int(SLUICE_ADDRESS_V6):
            return .ip(IPAddress(high: raw.high, low: raw.low), port: raw.port)
        case Int(SLUICE_ADDRESS_UNIX):
            let path = unsafe withUnsafeBytes(of: raw.path) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            return .unix(path)
        default:
            return nil
        }
    }
}
