import SluiceHTTP

/// A match, with everything that can be prepared before a request comes. A class: looking at one of many copies nothing.
final class CompiledRoute: Sendable {
    let host: HostPattern?
    let path: PathPattern
    /// Empty: every method.
    let methods: [HTTPMethod]
    let accept: String?

    init(_ match: RouteMatch, defaultMethods: [String], index: Int) throws(RouteTable.Fault) {
        func check<T>(_ key: RouteTable.Fault.Key, _ make: () throws(PatternError) -> T) throws(RouteTable.Fault) -> T {
            do throws(PatternError) {
                return try make()
            } catch {
                throw RouteTable.Fault(route: index, key: key, error: error)
            }
        }
        host = try check(.host) { () throws(PatternError) -> HostPattern? in
            guard let host = match.host else { return nil }
            return try HostPattern(host)
        }
        path = try check(.path) { () throws(PatternError) -> PathPattern in try PathPattern(match.path) }
        methods = try check(.methods) { () throws(PatternError) -> [HTTPMethod] in
            try Self.methods(match.methods.isEmpty ? defaultMethods : match.methods)
        }
        accept = try check(.accept) { () throws(PatternError) -> String? in
            guard let accept = match.accept else { return nil }
            return try Self.mediaType(accept)
        }
    }

    /// Whether host and path of a request fit.
    func fits(_ head: RequestHead, _ requestPath: RequestPath) -> Bool {
        if let host {
            guard let authority = head.host, host.matches(authority) else { return false }
        }
        return path.matches(requestPath)
    }

    /// Whether a request names the media type that the route asks for.
    func accepts(_ head: RequestHead) -> Bool {
        guard let accept else { return true }
        return head.fields.all(.accept).contains { AcceptHeader.names($0, accept) }
    }

    func allows(_ method: HTTPMethod) -> Bool { methods.isEmpty || methods.contains(method) }

    func allows(_ method: ArraySlice<UInt8>) -> Bool {
        methods.isEmpty || methods.contains { $0.name.utf8.elementsEqual(method) }
    }

    /// Whether it takes every request that `other` takes.
    func covers(_ other: CompiledRoute) -> Bool {
        if let host {
            guard let otherHost = other.host, host.covers(otherHost) else { return false }
        }
        guard methods.isEmpty || (!other.methods.isEmpty && other.methods.allSatisfy(methods.contains)) else {
            return false
        }
        guard accept == nil || accept == other.accept else { return false }
        return path.covers(other.path)
    }

    private static func methods(_ names: [String]) throws(PatternError) -> [HTTPMethod] {
        var methods: [HTTPMethod] = []
        for name in names {
            // Methods are compared with case (RFC 9110, section 9.1): "get" would never match anything.
            guard HTTPToken.isValid(name), name == name.uppercased() else {
                throw PatternError(name, "a method is a word in capitals, such as GET")
            }
            let method = HTTPMethod(name)
            if !methods.contains(method) { methods.append(method) }
        }
        if methods.contains(.get), !methods.contains(.head) { methods.append(.head) }
        return methods
    }

    private static func mediaType(_ text: String) throws(PatternError) -> String {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ HTTPToken.isValid($0) && !$0.contains("*") }) else {
            throw PatternError(text, "one media type without parameters, such as text/event-stream")
        }
        return text.lowercased()
    }
}
