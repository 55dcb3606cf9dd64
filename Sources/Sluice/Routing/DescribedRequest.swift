package import SluiceHTTP
package import SluiceIO

/// A request as a person describes it: method, URL, fields, and who asks.
package struct DescribedRequest: Sendable {
    package private(set) var head: RequestHead
    package let client: IPAddress?

    /// Reads a description.
    /// - Parameters:
    ///   - url: an `http` or `https` URL, or only a path with perhaps a query.
    ///   - headers: fields as `Name: value`.
    ///   - client: the client's address.
    package init(method: String, url: String, headers: [String], client: String?) throws(PatternError) {
        guard HTTPToken.isValid(method), method == method.uppercased() else {
            throw PatternError(method, "a method is a word in capitals, such as GET")
        }
        self.client = try client.map { text throws(PatternError) in
            guard let address = IPAddress(text) else { throw PatternError(text, "expected the client's IP address") }
            return address
        }
        var fields = FieldBlock()
        for header in headers {
            let (name, value) = try Self.field(header)
            fields.append(name: name, value: value)
        }
        head = RequestHead.make(method: HTTPMethod(method), host: nil, fields: fields)
        let (authority, target) = try Self.parts(of: url)
        guard head.setTarget(target.utf8) else {
            let reason = "spaces, quotes and what is beyond ASCII are written as %XX, and there is no fragment (#)"
            throw PatternError(url, reason)
        }
        let named = fields.string(.host)
        if let authority, let named, authority.lowercased() != named.lowercased() {
            throw PatternError(named, "the Host field says another host than the URL")
        }
        guard let host = authority ?? named else { return }
        guard head.setHost(host.utf8) else { throw PatternError(host, "this is no host, with or without a port") }
    }

    /// Whether a text can be the authority of a request.
    static func isHost(_ text: String) -> Bool {
        var head = RequestHead.make()
        return head.setHost(text.utf8)
    }

    /// The authority, where there is one, and the target.
    private static func parts(of url: String) throws(PatternError) -> (authority: String?, target: String) {
        if url.hasPrefix("/") { return (nil, url) }
        let lower = url.lowercased()
        guard let scheme = ["http://", "https://"].first(where: lower.hasPrefix) else {
            throw PatternError(url, "expected a URL such as https://example.com/path, or a path")
        }
        let rest = url.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let target = rest[authority.endIndex...]
        return (String(authority), target.hasPrefix("/") ? String(target) : "/" + target)
    }

    private static func field(_ text: String) throws(PatternError) -> (name: String, value: String) {
        let name = text.prefix { $0 != ":" }
        guard name.endIndex < text.endIndex, HTTPToken.isValid(name) else {
            throw PatternError(text, "expected a field such as \"Accept: text/event-stream\"")
        }
        let value = text[name.endIndex...].dropFirst()
        guard value.utf8.allSatisfy({ $0 == 9 || ($0 >= 32 && $0 != 127) }) else {
            throw PatternError(String(name), "a field's value has no line ends and no control characters")
        }
        return (String(name), String(value))
    }
}
