/// Routes.
extension ConfigurationCheck {
    mutating func checkRoutes() {
        var earlier: [(shape: RouteShape, index: Int)] = []
        for (index, route) in configuration.routes.enumerated() {
            let path = Path()["routes"][index]
            let pattern = PathShape(route.match.path)
            check(route.match, pattern, path["match"])
            check(route.target, pattern, path)
            if let policy = route.cors { check(policy, path["cors"]) }
            if let authorization = route.authorization { check(authorization, path["auth"]) }
            guard let pattern else { continue }
            let shape = RouteShape(route, pattern)
            if let reason = shape.hiding(earlier) { report(path["match"], reason) }
            earlier.append((shape, index))
        }
    }

    private mutating func check(_ match: RouteMatch, _ pattern: PathShape?, _ path: Path) {
        if let host = match.host, !Syntax.isHost(host) {
            report(
                path["host"], "expected a host name without port, such as example.com or *.example.com, not \"\(host)\""
            )
        }
        if let reason = pattern == nil ? PathShape.problem(match.path) : nil { report(path["path"], reason) }
        for (index, method) in match.methods.enumerated() {
            if !Syntax.isToken(method) {
                report(path["methods"][index], "\"\(method)\" is not a method")
            } else if method != method.uppercased() {
                report(
                    path["methods"][index], "methods are case-sensitive, and \"\(method)\" is none that is in use",
                    suggestion: method.uppercased())
            }
        }
        if let type = match.accept, !Syntax.isMediaType(type) {
            report(path["accept"], "expected one media type such as text/event-stream, not \"\(type)\"")
        }
    }

    private mutating func check(_ target: RouteTarget, _ pattern: PathShape?, _ path: Path) {
        switch target.kind {
        case .subscribe(let topics):
            let place = path["subscribe"]["topics"]
            if topics.isEmpty { report(place, "expected the name of a topic") }
            if topics.count > 1 {
                report(place, "several topics on one stream are not served yet; give each topic a route of its own")
            }
            for (index, topic) in topics.enumerated() { checkTopic(topic, pattern, place[index]) }
        case .publish(let topic):
            checkTopic(topic, pattern, path["publish"]["topic"])
        case .respond(let response):
            check(response, path["respond"])
        }
    }

    /// The topic that a route names must be able to exist, with parameters that the route's path has.
    private mutating func checkTopic(_ name: String, _ pattern: PathShape?, _ path: Path) {
        let shape = NameShape(name)
        guard shape.isValid, !name.isEmpty else {
            return report(path, "expected the name of a topic, with {name} for each parameter, not \"\(name)\"")
        }
        var isFilled = true
        for parameter in shape.parameters where pattern?.parameters.contains(parameter) == false {
            isFilled = false
            report(
                path, "the route's path has no {\(parameter)}",
                suggestion: Suggestion.nearest(to: parameter, in: pattern?.parameters ?? []).map { "{\($0)}" })
        }
        let names = configuration.topics.keys
        if isFilled, !names.contains(where: { $0 == name || NameShape($0).overlaps(shape) }) {
            report(path, "there is no topic \"\(name)\"", suggestion: Suggestion.nearest(to: name, in: names))
        }
    }

    private mutating func check(_ response: FixedResponse, _ path: Path) {
        count(response.status, path["status"], atLeast: 200, atMost: 599)
        // Framing and connection are the server's.
        let own: Set<String> = [
            "connection", "content-length", "date", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
        ]
        for (name, value) in response.headers {
            headerName(name, path["headers"][name], reserved: own)
            headerValue(value, path["headers"][name])
        }
        if [204, 205, 304].contains(response.status), !response.body.isEmpty || response.file != nil {
            report(path["status"], "a response with status \(response.status) has no body")
        }
        if let name = response.file { file(name, path["file"]) }
    }

    private mutating func check(_ policy: CORSPolicy, _ path: Path) {
        let place = path["origins"]
        if policy.origins.isEmpty { report(place, "expected at least one origin, or \"*\" for any") }
        let any = policy.origins.firstIndex(of: "*")
        for (index, origin) in policy.origins.enumerated() where origin != "*" {
            if let reason = Syntax.originProblem(origin) { report(place[index], reason) }
        }
        if let any, policy.credentials {
            report(place[any], "\"*\" and credentials do not go together: browsers refuse it; list the origins")
        } else if let any, policy.origins.count > 1 {
            report(place[any], "\"*\" allows any origin already")
        }
        for (index, name) in policy.headers.enumerated() where !Syntax.isToken(name) || name == "*" {
            report(path["headers"][index], "\"\(name)\" is not the name of a field")
        }
        time(policy.maxAge, path["max_age"], atLeast: .zero)
    }

    private mutating func check(_ authorization: Authorization, _ path: Path) {
        switch authorization.kind {
        case .bearer(let token):
            // b64token of RFC 6750, section 2.1, read generously.
            let isSendable = token.value.utf8.allSatisfy { $0 > 32 && $0 < 127 }
            if token.value.isEmpty {
                report(path["bearer"], "the token is empty")
            } else if !isSendable {
                report(path["bearer"], "a token has no spaces and no characters beyond ASCII")
            }
        }
    }
}

/// What a route takes, to find out whether routes before it leave it anything.
struct RouteShape {
    let host: String?
    let path: PathShape
    let accept: String?
    /// `nil`: all of them.
    let methods: Set<String>?

    init(_ route: Route, _ path: PathShape) {
        self.host = route.match.host?.lowercased()
        self.path = path
        self.accept = route.match.accept?.lowercased()
        self.methods = route.match.methods.isEmpty ? Self.methods(of: route.target) : Set(route.match.methods)
    }

    /// Why no request reaches this route; `nil` when one can. Routes before it may together take all its methods.
    func hiding(_ earlier: [(shape: RouteShape, index: Int)]) -> String? {
        var left = methods
        var takers: [Int] = []
        for (shape, index) in earlier where shape.coversAllButMethods(of: self) {
            if let taken = shape.methods {
                if left?.isDisjoint(with: taken) == true { continue }
                left?.subtract(taken)
            } else {
                left = []
            }
            takers.append(index)
            if left?.isEmpty == true { break }
        }
        guard left?.isEmpty == true, !takers.isEmpty else { return nil }
        let names = takers.map { "routes[\($0)]" }.joined(separator: " and ")
        return "no request reaches this route: \(names) before it \(takers.count == 1 ? "takes" : "take") them all"
    }

    private static func methods(of target: RouteTarget) -> Set<String>? {
        switch target.kind {
        case .subscribe: ["GET", "HEAD"]
        case .publish: ["POST"]
        case .respond: nil
        }
    }

    private func coversAllButMethods(of other: RouteShape) -> Bool {
        (accept == nil || accept == other.accept) && coversHost(of: other) && path.covers(other.path)
    }

    private func coversHost(of other: RouteShape) -> Bool {
        guard let host else { return true }
        guard let name = other.host else { return false }
        if host == name { return true }
        // `*.example.com` takes exactly one more label.
        guard host.hasPrefix("*."), !name.hasPrefix("*"), name.hasSuffix(host.dropFirst()) else { return false }
        let label = name.dropLast(host.count - 1)
        return !label.isEmpty && !label.contains(".")
    }
}
