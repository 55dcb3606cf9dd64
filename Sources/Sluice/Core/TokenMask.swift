/// Puts `***` in the place of what a URL must not show in a log: the values of parameters whose names say that they are
/// credentials, and userinfo (RFC 3986, section 3.2.1).
///
/// Names are compared decoded and without case. A URL that stands in another one's parameter, percent-encoded once or several
/// times, is looked into too. What is masked is never less than a server could take for the value.
struct TokenMask: Sendable {
    /// Names beside the built-in ones, decoded, in small letters.
    private let more: Set<[UInt8]>

    /// - Parameter more: names of further parameters.
    init(_ more: [String] = []) {
        // Names are read up to what separates parameters, so of a name that has one only its end can be met.
        self.more = Set(
            more.map { name in
                let name = Array(name.lowercased().utf8)
                return Array(name[((name.lastIndex { Self.isSeparator($0) || $0 == Self.slash } ?? -1) + 1)...])
            })
    }

    /// Appends a request's target, or a URL.
    /// - Parameter isAuthority: the text begins with an authority, as the target of a CONNECT does.
    func append(_ text: ArraySlice<UInt8>, isAuthority: Bool = false, to output: inout [UInt8]) {
        var start = text.startIndex
        for hole in holes(in: text, isAuthority) {
            output.append(contentsOf: text[start..<hole.lowerBound])
            output.append(contentsOf: "***".utf8)
            start = hole.upperBound
        }
        output.append(contentsOf: text[start...])
    }

    func masked(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        append(text, to: &output)
        return output
    }

    // MARK: Where

    /// What is not to be shown, in order.
    private func holes(in text: ArraySlice<UInt8>, _ isAuthority: Bool) -> [Range<Int>] {
        var holes: [Range<Int>] = []
        // Most have none of these, and then there is nothing to look for.
        guard text.contains(where: { Self.isSeparator($0) || $0 == PercentEscape.sign || $0 == UInt8(ascii: "@") })
        else {
            return holes
        }
        var reader = Reader(text)
        var before: Reader.Unit?
        var isInParameters = false
        if isAuthority { skipUserinfo(&reader, level: 0, &holes) }
        while let unit = reader.next() {
            let start = reader.index
            let isSlash = unit.byte == Self.slash
            if isSlash, before?.byte == unit.byte, before?.level == unit.level {
                skipUserinfo(&reader, level: unit.level, &holes)
            }
            if Self.isSeparator(unit.byte) { isInParameters = true }
            // Pages that route by their fragment have parameters behind a path: `#/access_token=...`.
            if isInParameters, isSlash || Self.isSeparator(unit.byte) {
                skipParameter(&reader, level: unit.level, &holes)
            }
            before = reader.index == start ? unit : nil
        }
        return holes
    }

    private static let slash = UInt8(ascii: "/")

    /// What stands before a parameter's name. `;` once separated parameters, and still does for some servers.
    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "?") || byte == UInt8(ascii: "&") || byte == UInt8(ascii: ";") || byte == UInt8(ascii: "#")
    }

    /// A name, and its value if that is to be masked: up to what ends it at the level of encoding that the name has, or at
    /// one further out. Between a separator and a `=` of other levels the outer one counts, which leaves the value longer.
    private func skipParameter(_ reader: inout Reader, level: Int, _ holes: inout [Range<Int>]) {
        var name: [UInt8] = []
        // Behind a slash another name begins, or an authority, which is looked for outside of here.
        while let unit = reader.peek(), !Self.isSeparator(unit.byte), unit.byte != Self.slash {
            reader.skip(unit)
            guard unit.byte != UInt8(ascii: "=") else {
                if hides(name) { skipValue(&reader, level: min(level, unit.level), &holes) }
                return
            }
            name.append(unit.byte)
        }
    }

    private func skipValue(_ reader: inout Reader, level: Int, _ holes: inout [Range<Int>]) {
        let start = reader.index
        while let unit = reader.peek() {
            let isEnd = unit.byte == UInt8(ascii: "&") || unit.byte == UInt8(ascii: "#")
            if isEnd, unit.level <= level { break }
            reader.skip(unit)
        }
        holes.append(start..<reader.index)
    }

    /// What stands before the last `@` of an authority.
    private func skipUserinfo(_ reader: inout Reader, level: Int, _ holes: inout [Range<Int>]) {
        var ahead = reader
        var behind: Reader?
        while let unit = ahead.peek() {
            let isEnd =
                unit.byte == UInt8(ascii: "/") || unit.byte == UInt8(ascii: "?") || unit.byte == UInt8(ascii: "#")
            if isEnd, unit.level <= level { break }
            if unit.byte == UInt8(ascii: "@"), unit.level <= level { behind = ahead }
            ahead.skip(unit)
        }
        guard let behind else { return }
        holes.append(reader.index..<behind.index)
        reader = behind
    }

    // MARK: Names

    /// Parts of a name, as `-`, `_`, `.` or a capital letter separates them.
    private static let words = Set(
        [
            "token", "tokens", "key", "apikey", "secret", "secrets", "password", "passwd", "passphrase", "pwd", "pass",
            "authorization", "auth", "jwt", "signature", "sig", "credential", "credentials", "bearer", "otp",
        ].map { Array($0.utf8) })
    /// Ends of a name without what separates its parts.
    private static let ends = [
        "token", "secret", "password", "passphrase", "apikey", "accesskey", "secretkey", "privatekey", "authkey",
        "authorization", "jwt", "signature", "credential", "credentials", "sessionid", "sessid",
    ].map { Array($0.utf8) }
    /// Whole names.
    private static let names = Set(["code", "sid"].map { Array($0.utf8) })

    /// Whether a name, decoded, says that its value is a credential.
    func hides(_ name: [UInt8]) -> Bool {
        var joined: [UInt8] = []
        var word: [UInt8] = []
        // The same where capital letters separate nothing: `kEy`.
        var plainWord: [UInt8] = []
        var wasSmall = false
        for byte in name {
            let isCapital = (0x41...0x5A).contains(byte)
            let isSmall = (0x61...0x7A).contains(byte)
            if !isSmall, !isCapital || wasSmall {
                if Self.words.contains(word) { return true }
                word.removeAll(keepingCapacity: true)
            }
            if isSmall || isCapital {
                word.append(byte | 0x20)
                plainWord.append(byte | 0x20)
            } else {
                if Self.words.contains(plainWord) { return true }
                plainWord.removeAll(keepingCapacity: true)
            }
            if isSmall || isCapital || (0x30...0x39).contains(byte) { joined.append(byte | 0x20) }
            wasSmall = isSmall
        }
        guard !Self.words.contains(word), !Self.words.contains(plainWord), !Self.words.contains(joined),
            !Self.names.contains(joined)
        else { return true }
        if Self.ends.contains(where: { joined.count >= $0.count && joined.suffix($0.count).elementsEqual($0) }) {
            return true
        }
        return !more.isEmpty && more.contains(Array(String(decoding: name, as: UTF8.self).lowercased().utf8))
    }
}

extension TokenMask {
    /// Reads a text byte by byte as its innermost reader would see them.
    fileprivate struct Reader {
        /// One byte, what it stands for, and how many times it is percent-encoded.
        struct Unit {
            let byte: UInt8
            let level: Int
            let range: Range<Int>
        }

        let text: ArraySlice<UInt8>
        private(set) var index: Int

        init(_ text: ArraySlice<UInt8>) {
            self.text = text
            index = text.startIndex
        }

        mutating func next() -> Unit? {
            guard let unit = peek() else { return nil }
            skip(unit)
            return unit
        }

        mutating func skip(_ unit: Unit) { index = unit.range.upperBound }

        func peek() -> Unit? {
            guard index < text.endIndex else { return nil }
            guard text[index] == PercentEscape.sign, var byte = PercentEscape.byte(at: index, in: text) else {
                return Unit(byte: text[index], level: 0, range: index..<(index &+ 1))
            }
            // `%2526` is `%26`, encoded once more: behind "%25" stand the digits of another escape.
            var sign = index
            var level = 1
            while byte == PercentEscape.sign, let inner = PercentEscape.byte(at: sign &+ 2, in: text) {
                byte = inner
                sign &+= 2
                level &+= 1
            }
            return Unit(byte: byte, level: level, range: index..<(sign &+ 3))
        }
    }
}
