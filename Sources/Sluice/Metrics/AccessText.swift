/// Pieces that both formats of an access log are made of.
enum AccessText {
    /// Appends bytes as nginx escapes them: what is not printable ASCII, quotes and backslashes become `\xHH`, so that
    /// nobody can end a line, a quotation or a terminal's patience.
    /// - Parameter isWord: spaces too.
    static func appendEscaped(_ bytes: some Sequence<UInt8>, isWord: Bool = false, to output: inout [UInt8]) {
        for byte in bytes {
            let isPlain =
                byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
                || byte == 0x20 && !isWord
            if isPlain {
                output.append(byte)
            } else {
                output.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "x"), digit(byte >> 4), digit(byte & 15)])
            }
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 &+ value : 0x37 &+ value }

    /// Milliseconds as seconds: `0.003`.
    /// - Parameter width: digits before the point, at least.
    static func appendSeconds(_ milliseconds: UInt64, width: Int = 1, to output: inout [UInt8]) {
        let seconds = milliseconds / 1000
        if width > 1, seconds < 10 { output.append(0x30) }
        append(seconds, to: &output)
        output.append(UInt8(ascii: "."))
        let rest = milliseconds % 1000
        output.append(0x30 &+ UInt8(truncatingIfNeeded: rest / 100))
        output.append(0x30 &+ UInt8(truncatingIfNeeded: rest / 10 % 10))
        output.append(0x30 &+ UInt8(truncatingIfNeeded: rest % 10))
    }

    static func append(_ number: UInt64, to output: inout [UInt8]) {
        var divisor: UInt64 = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            output.append(0x30 &+ UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }
}
