internal import SluiceIO

/// What single words of a configuration must look like.
enum Syntax {
    /// A field value of RFC 9110, section 5.5: no control characters but the tab.
    static func isFieldValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 == 9 || ($0 >= 32 && $0 != 127) }
    }

    /// What an `event:` or `id:` line can carry.
    static func isEventField(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 != 10 && $0 != 13 && $0 != 0 }
    }

    /// `type/subtype`, without parameters.
    static func isMediaType(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { HTTPToken.isValid($0) && !$0.contains("*") }
    }

    /// What is wrong with an origin of a CORS policy; `nil` when it is one that a browser can send
    /// (WHATWG HTML, "serialization of an origin").
    static func originProblem(_ text: String) -> String? {
        let expected = "expected an origin such as https://app.example.com, not \"\(text)\""
        guard let mark = text.firstRange(of: "://"), mark.lowerBound > text.startIndex else { return expected }
        let scheme = text[..<mark.lowerBound]
        let rest = text[mark.upperBound...]
        guard !rest.isEmpty, isFieldValue(text), !text.contains(" ") else { return expected }
        if rest.contains("/") { return expected + ": an origin has no path and no last slash" }
        if rest.contains("@") || rest.contains("*") { return expected }
        if text.contains(where: \.isUppercase) { return expected + ": browsers send it in lower case" }
        if scheme == "https" && rest.hasSuffix(":443") || scheme == "http" && rest.hasSuffix(":80") {
            return expected + ": browsers leave a scheme's own port out"
        }
        return nil
    }
}

extension Syntax {
    /// The `{parameters}` of a feed's URL; `nil` when the braces are not theirs.
    static func parameters(ofURL text: String) -> [String]? {
        var names: [String] = []
        var rest = text[...]
        while let brace = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            let inner = rest[rest.index(after: brace)...]
            guard rest[brace] == "{", let end = inner.firstIndex(of: "}"), ParameterName.isValid(String(inner[..<end]))
            else { return nil }
            names.append(String(inner[..<end]))
            rest = inner[inner.index(after: end)...]
        }
        return names
    }

    /// `10.0.0.0/8`, `::1/128` or a bare address.
    static func isNetwork(_ text: String) -> Bool { IPNetwork(text) != nil }

    /// What is wrong with an address to listen on.
    static func listenProblem(_ text: String) -> String? {
        do throws(AddressError) {
            _ = try SocketAddress.listening(text)
            return nil
        } catch {
            return "expected an address such as \":8080\", not \"\(text)\": \(error.reason)"
        }
    }
}
