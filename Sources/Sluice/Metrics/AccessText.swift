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
    static func appendSeconds(_ milliseconds: UInt64, to output: inout [UInt8]) {
        output.append(contentsOf: String(milliseconds / 1000).utf8)
        output.append(UInt8(ascii: "."))
        let rest = milliseconds % 1000
        for part in [rest / 100, rest / 10 % 10, rest % 10] { output.append(0x30 &+ UInt8(truncatingIfNeeded: part)) }
    }
}
