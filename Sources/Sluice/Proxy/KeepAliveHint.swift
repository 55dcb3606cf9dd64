internal import SluiceHTTP

/// How long a server keeps an idle connection, where it says so: `Keep-Alive: timeout=5`.
enum KeepAliveHint {
    /// A second less than it says: a request that crosses the server's close is lost.
    static func milliseconds(_ fields: FieldBlock) -> UInt64? {
        for field in fields.all(.keepAlive) {
            for element in field.split(separator: UInt8(ascii: ",")) {
                let element = element.drop { $0 == 0x20 }
                guard HopByHop.equal(element.prefix(8), "timeout=".utf8) else { continue }
                let digits = element.dropFirst(8).prefix { $0 >= 0x30 && $0 <= 0x39 }
                guard (1...6).contains(digits.count) else { continue }
                let seconds = digits.reduce(UInt64(0)) { $0 &* 10 &+ UInt64($1 &- 0x30) }
                return seconds > 1 ? (seconds &- 1) &* 1000 : seconds &* 500
            }
        }
        return nil
    }
}
