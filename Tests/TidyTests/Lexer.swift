/// Turns Swift code into tokens. It knows comments, strings (raw, of many lines, with code inside) and raw
/// identifiers, which is all that the rules need.
struct Lexer {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    private var afterSpace = true
    private var tokens: [Token] = []

    static func tokens(of text: String) -> [Token] {
        var lexer = Lexer(bytes: Array(text.utf8))
        lexer.code(untilClosingParenthesis: false)
        return lexer.tokens
    }

    static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...: true
        default: false
        }
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private func byte(_ offset: Int = 0) -> UInt8 {
        position + offset < bytes.count ? bytes[position + offset] : 0
    }

    private func looking(at text: StaticString) -> Bool {
        let wanted = Array(String(describing: text).utf8)
        return position + wanted.count <= bytes.count && bytes[position..<position + wanted.count].elementsEqual(wanted)
    }

    private mutating func advance(_ count: Int = 1) {
        for _ in 0..<count where position < bytes.count {
            if bytes[position] == UInt8(ascii: "\n") { line += 1 }
            position += 1
        }
    }

    private mutating func append(_ text: String, line: Int) {
        tokens.append(Token(text: text, line: line, afterSpace: afterSpace))
        afterSpace = false
    }

    /// Reads code: to the end, or behind the parenthesis that ends an interpolation.
    private mutating func code(untilClosingParenthesis: Bool) {
        var depth = 0
        while position < bytes.count {
            let current = byte()
            if current == UInt8(ascii: " ") || current == UInt8(ascii: "\n") || current == UInt8(ascii: "\t") {
                advance()
                afterSpace = true
            } else if looking(at: "//") {
                while position < bytes.count, byte() != UInt8(ascii: "\n") { advance() }
                afterSpace = true
            } else if looking(at: "/*") {
                blockComment()
            } else if let hashes = stringStart() {
                string(hashes: hashes)
            } else if current == UInt8(ascii: "`") {
                rawIdentifier()
            } else if Lexer.isWordByte(current) {
                word()
            } else {
                if current == UInt8(ascii: "(") { depth += 1 }
                if current == UInt8(ascii: ")") { depth -= 1 }
                append(String(UnicodeScalar(current)), line: line)
                advance()
                if untilClosingParenthesis, depth < 0 { return }
            }
        }
    }

    private mutating func blockComment() {
        var depth = 0
        repeat {
            if looking(at: "/*") {
                depth += 1
                advance(2)
            } else if looking(at: "*/") {
                depth -= 1
                advance(2)
            } else {
                advance()
            }
        } while depth > 0 && position < bytes.count
        afterSpace = true
    }

    /// The number of `#` before a string that starts here, if one does.
    private func stringStart() -> Int? {
        var hashes = 0
        while byte(hashes) == UInt8(ascii: "#") { hashes += 1 }
        return byte(hashes) == UInt8(ascii: "\"") ? hashes : nil
    }

    private mutating func string(hashes: Int) {
        append("\"", line: line)
        advance(hashes)
        let quotes = looking(at: "\"\"\"") ? 3 : 1
        advance(quotes)
        while position < bytes.count {
            if byte() == UInt8(ascii: "\\"), isRun(of: "#", hashes, at: 1) {
                advance(1 + hashes)
                if byte() == UInt8(ascii: "(") {
                    advance()
                    code(untilClosingParenthesis: true)
                } else {
                    advance()
                }
            } else if isRun(of: "\"", quotes, at: 0), isRun(of: "#", hashes, at: quotes) {
                advance(quotes + hashes)
                return
            } else {
                advance()
            }
        }
    }

    private func isRun(of character: Unicode.Scalar, _ count: Int, at offset: Int) -> Bool {
        (0..<count).allSatisfy { byte(offset + $0) == UInt8(ascii: character) }
    }

    private mutating func rawIdentifier() {
        let start = line
        var name: [UInt8] = []
        advance()
        while position < bytes.count, byte() != UInt8(ascii: "`") {
            name.append(byte())
            advance()
        }
        advance()
        // A sentence is a name of its own; it must not look like the words in it.
        append(name.allSatisfy(Lexer.isWordByte) ? String(decoding: name, as: UTF8.self) : "_raw", line: start)
    }

    private mutating func word() {
        let start = position
        let startLine = line
        while Lexer.isWordByte(byte()) { advance() }
        append(String(decoding: bytes[start..<position], as: UTF8.self), line: startLine)
    }
}
