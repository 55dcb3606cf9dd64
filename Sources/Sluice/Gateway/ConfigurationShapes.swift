/// A name with `{parameters}`, as far as it takes to compare it with others.
struct NameShape {
    /// The name's letters; `nil` stands for a parameter, which is one letter or more.
    private let letters: [Character?]
    let parameters: [String]
    let isValid: Bool

    var isTemplate: Bool { !parameters.isEmpty }

    init(_ text: String) {
        var letters: [Character?] = []
        var parameters: [String] = []
        var isValid = true
        var rest = text[...]
        while let letter = rest.popFirst() {
            switch letter {
            case "{":
                let name = rest.prefix { $0 != "}" }
                rest = rest.dropFirst(name.count)
                // Two parameters side by side: nothing says where one ends.
                let isAlone = letters.isEmpty || letters.last != .some(nil)
                isValid = isValid && rest.popFirst() == "}" && Self.isParameterName(name) && isAlone
                isValid = isValid && !parameters.contains(String(name))
                parameters.append(String(name))
                letters.append(nil)
            case "}": isValid = false
            default: letters.append(letter)
            }
        }
        self.letters = letters
        self.parameters = parameters
        self.isValid = isValid
    }

    static func isParameterName(_ name: Substring) -> Bool {
        !name.isEmpty && name.allSatisfy { $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber)) }
    }

    /// Whether some name could be made from both.
    func overlaps(_ other: NameShape) -> Bool {
        // reach[j]: the first i letters of one and j letters of the other can spell the same text. A parameter goes on
        // for as long as it likes, so it may stay while the other side moves.
        let a = letters
        let b = other.letters
        var reach = [[Bool]](repeating: [Bool](repeating: false, count: b.count + 1), count: a.count + 1)
        reach[0][0] = true
        for i in 0...a.count {
            for j in 0...b.count where !reach[i][j] {
                let both = i > 0 && j > 0
                let pair = both && (a[i - 1] == nil || b[j - 1] == nil || a[i - 1] == b[j - 1]) && reach[i - 1][j - 1]
                let aStays = both && a[i - 1] == nil && reach[i][j - 1]
                let bStays = both && b[j - 1] == nil && reach[i - 1][j]
                reach[i][j] = pair || aStays || bStays
            }
        }
        return reach[a.count][b.count]
    }
}

/// A path pattern, as far as it takes to compare it with others.
struct PathShape {
    /// `nil` stands for a parameter.
    private let segments: [String?]
    private let hasRest: Bool
    let parameters: [String]

    /// `nil` when the pattern is not one; `problem` says why.
    init?(_ text: String) {
        guard Self.problem(text) == nil else { return nil }
        var parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        hasRest = parts.last == "**"
        if hasRest { parts.removeLast() }
        segments = parts.map { $0.hasPrefix("{") ? nil : $0 }
        parameters = parts.filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }

    /// What is wrong with a path pattern.
    static func problem(_ text: String) -> String? {
        guard text.hasPrefix("/") else { return "expected a path that begins with /, not \"\(text)\"" }
        if text.contains("?") || text.contains("#") { return "a path pattern has no query (?) and no fragment (#)" }
        guard text.utf8.allSatisfy({ $0 > 32 && $0 != 127 }) else { return "a path has no spaces; write %20" }
        let parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        var seen: Set<Substring> = []
        for (index, part) in parts.enumerated() {
            if part == "**", index == parts.count - 1 { continue }
            if part.contains("*") { return "* can only stand as a last /**" }
            if part == "." || part == ".." { return "a path pattern has no . and .. segments" }
            guard part.contains("{") || part.contains("}") else { continue }
            let name = part.dropFirst().dropLast()
            guard part.hasPrefix("{"), part.hasSuffix("}"), NameShape.isParameterName(name) else {
                return "a {parameter} is a whole segment with a name of letters, digits and _"
            }
            if !seen.insert(name).inserted { return "{\(name)} stands in the path twice" }
        }
        return nil
    }

    /// Whether this pattern matches every path that the other matches.
    func covers(_ other: PathShape) -> Bool {
        guard hasRest || !other.hasRest, hasRest || segments.count == other.segments.count,
            segments.count <= other.segments.count
        else { return false }
        return zip(segments, other.segments).allSatisfy { mine, theirs in mine == nil || mine == theirs }
    }
}
