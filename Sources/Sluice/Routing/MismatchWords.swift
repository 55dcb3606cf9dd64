import SluiceHTTP
import SluiceIO

/// Says to a person why a route does not take a request.
struct MismatchWords {
    private let route: CompiledRoute
    private let match: RouteMatch
    private let head: RequestHead
    private let client: IPAddress?

    init(_ route: CompiledRoute, _ match: RouteMatch, _ head: RequestHead, _ client: IPAddress?) {
        self.route = route
        self.match = match
        self.head = head
        self.client = client
    }

    func reason(_ mismatch: RouteMismatch) -> String {
        switch mismatch {
        case .host:
            let asked = head.host.map { "host is \(text($0))" } ?? "the request names no host"
            return asked + ", " + not(match.hosts)
        case .path: return "path is \(text(head.path)), not \(match.path)"
        case .client: return (client.map { "client is \($0)" } ?? "the client is not given") + ", " + not(match.clients)
        case .query(let index): return condition("query", route.query[index], queryValues(route.query[index].name))
        case .accept: return "Accept does not name \(match.accept ?? "")"
        case .header(let index): return condition("header", route.headers[index], fields(route.headers[index].name))
        case .method: return "method \(head.method) is not among \(route.methods.map(\.name).joined(separator: ", "))"
        }
    }

    private func not(_ names: [String]) -> String {
        names.count == 1 ? "not \(names[0])" : "not one of \(names.joined(separator: ", "))"
    }

    private func condition(_ what: String, _ condition: ValueCondition, _ values: [String]) -> String {
        let named = "\(what) \(condition.name)"
        if condition.test == .absent { return "\(named) is present" }
        guard !values.isEmpty else { return "\(named) is not present" }
        let given = values.map { "\"\($0)\"" }.joined(separator: ", ")
        return switch condition.test {
        case .absent, .present: "\(named) is \(given)"
        case .prefix(let prefix): "\(named) is \(given) and does not begin with \"\(text(prefix[...]))\""
        case .equal(let expected): "\(named) is \(given), not \"\(text(expected[...]))\""
        }
    }

    private func fields(_ name: String) -> [String] {
        var values: [String] = []
        _ = head.fields.contains(FieldID.lookup(name), named: Array(name.utf8)) { value in
            values.append(text(value))
            return false
        }
        return values
    }

    private func queryValues(_ name: String) -> [String] {
        var values: [String] = []
        _ = QueryString.contains(Array(name.utf8), in: head.query) { value in
            values.append(text((value.decoded ?? Array(value.raw))[...]))
            return false
        }
        return values
    }

    private func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
