internal import SluiceHTTP

/// How long a server keeps an idle connection, where it says so: `Keep-Alive: timeout=5`.
enum KeepAliveHint {
    /// A second less than it says: a request that crosses the server's close is lost.
    static func milliseconds(_ fields: FieldBlock) -> UInt64? {
        for field in fields.all(.keepAlive) {
            for element in field.split(separator: UInt8(ascii: ",")) {
                let element = element.drop { $0 == 0x20 }
                guard ASCII.equalIgnoringCase(element.prefix(8), "timeout=") else { continue }
                guard let seconds = seconds(element.dropFirst(8)) else { continue }
                return seconds > 1 ? (seconds &- 1) &* 1000 : seconds &* 500
            }
        }
        return nil
    }

    /// Up to six digits, quoted or not. What is longer is no limit that matters; what is no number says nothing.
    private static func seconds(_ value: ArraySlice<UInt8>) -> UInt64? {
        var value = value
        while let last = value.last, last == 0x20 || last == 0x09 { value.removeLast() }
        if value.count >= 2, value.first == UInt8(ascii: "\""), value.last == UInt8(ascii: "\"") {
            value = value.dropFirst().dropLast()
        }
        guard (1...6).contains(value.count), value.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return value.reduce(UInt64(0)) { $0 &* 10 &+ UInt64($1 &- 0x30) }
    }
}
