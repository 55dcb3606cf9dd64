import SluiceHTTP
import SluiceIO

/// A match, with everything that can be prepared before a request comes. A class: looking at one of many copies nothing.
final class CompiledRoute: Sendable {
    /// Empty: every host.
    let hosts: [HostPattern]
    let path: PathPattern
    /// Empty: every method.
    let methods: [HTTPMethod]
    let accept: String?
    let headers: [ValueCondition]
    let query: [ValueCondition]
    /// Empty: every client.
    let clients: [IPNetwork]

    init(_ match: RouteMatch, defaultMethods: [String], index: Int) throws(RouteTable.Fault) {
        func check<T>(_ key: RouteTable.Fault.Key, _ make: () throws(PatternError) -> T) throws(RouteTable.Fault) -> T {
            do throws(PatternError) {
                return try make()
            } catch {
                throw RouteTable.Fault(route: index, key: key, error: error)
            }
        }
        hosts = try check(.host) { () throws(PatternError) in
            try match.hosts.map { host throws(PatternError) in try HostPattern(host) }
        }
        path = try check(.path) { () throws(PatternError) -> PathPattern in try PathPattern(match.path) }
        methods = try check(.methods) { () throws(PatternError) -> [HTTPMethod] in
            try Self.methods(match.methods.isEmpty ? defaultMethods : match.methods)
        }
        accept = try check(.accept) { () throws(PatternError) -> String? in
            guard let accept = match.accept else { return nil }
            return try Self.mediaType(accept)
        }
        headers = try check(.headers) { () throws(PatternError) in try ValueCondition.headers(match.headers) }
        query = try check(.query) { () throws(PatternError) in try ValueCondition.query(match.query) }
        clients = try check(.client) { () throws(PatternError) in try match.clients.map(Self.network) }
    }

    /// The first of its conditions, in the order of `RouteMismatch`, that a request does not meet; `nil`: it fits.
    func mismatch(_ head: RequestHead, _ requestPath: RequestPath, _ client: IPAddress?) -> RouteMismatch? {
        if !hosts.isEmpty {
            guard let authority = head.host, hosts.contains(where: { $0.matches(authority) }) else { return .host }
        }
        guard path.matches(requestPath) else { return .path }
        if !clients.isEmpty {
            guard let client, clients.contains(where: { $0.contains(client) }) else { return .client }
        }
        for index in query.indices where !query[index].isMet(byQuery: head.query) { return .query(index) }
        guard accepts(head) else { return .accept }
        for index in headers.indices where !headers[index].isMet(by: head.fields) { return .header(index) }
        return allows(head.method) ? nil : .method
    }

    /// Whether a request names the media type that the route asks for.
    private func accepts(_ head: RequestHead) -> Bool {
        guard let accept else { return true }
        return head.fields.all(.accept).contains { AcceptHeader.names($0, accept) }
    }

    func allows(_ method: HTTPMethod) -> Bool { methods.isEmpty || methods.contains(method) }

    func allows(_ method: ArraySlice<UInt8>) -> Bool {
        methods.isEmpty || methods.contains { $0.name.utf8.elementsEqual(method) }
    }

    /// Whether it takes every request that `other` takes, but for the methods of either.
    func coversAllButMethods(of other: CompiledRoute) -> Bool {
        (accept == nil || accept == other.accept) && path.covers(other.path)
            && headers.cover(other.headers, areFields: true) && query.cover(other.query, areFields: false)
            && Self.cover(hosts, other.hosts) { $0.covers($1) }
            && Self.cover(clients, other.clients) { $0.contains($1) }
    }

    /// Whether each of `other` lies in one of `own`, where none means all there are.
    private static func cover<T>(_ own: [T], _ other: [T], _ covers: (T, T) -> Bool) -> Bool {
        own.isEmpty || (!other.isEmpty && other.allSatisfy { each in own.contains { covers($0, each) } })
    }

    private static func network(_ text: String) throws(PatternError) -> IPNetwork {
        guard let network = IPNetwork(text) else {
            throw PatternError(text, "expected a network such as 10.0.0.0/8, ::1/128 or a bare address")
        }
        return network
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

/// Why a route does not take a request, in the order in which it is looked at.
enum RouteMismatch: Sendable, Hashable {
    case host
    case path
    case client
    /// One of the conditions of the query.
    case query(Int)
    case accept
    /// One of the conditions of the header.
    case header(Int)
    case method

    /// Whether a preflight may still ask about the route: it has neither the method nor the fields of its request.
    var isUnknownToPreflight: Bool {
        switch self {
        case .host, .path, .client, .query: false
        case .accept, .header, .method: true
        }
    }
}
