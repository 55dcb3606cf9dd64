internal import SluiceHTTP

/// Routes.
extension ConfigurationCheck {
    mutating func checkRoutes() {
        var earlier: [(shape: RouteShape, index: Int)] = []
        for (index, route) in configuration.routes.enumerated() {
            let path = Path()["routes"][index]
            check(route.match, path["match"])
            check(route.target, try? PathPattern(route.match.path), path)
            if let policy = route.cors { check(policy, path["cors"]) }
            if let authorization = route.authorization { check(authorization, path["auth"]) }
            checkEdits(of: route, path)
            if let limits = route.limits { check(limits, path["limits"]) }
            if let security = route.securityHeaders { check(security, path["security_headers"]) }
            guard let shape = RouteShape(route) else { continue }
            if let reason = shape.hiding(earlier) { report(path["match"], reason) }
            earlier.append((shape, index))
        }
    }

    private mutating func check(_ match: RouteMatch, _ path: Path) {
        for (index, host) in match.hosts.enumerated() {
            do throws(PatternError) {
                _ = try HostPattern(host)
            } catch {
                report(path["host"][index], "\"\(error.pattern)\" is no host: \(error.reason)")
            }
        }
        do throws(PatternError) {
            _ = try PathPattern(match.path)
        } catch {
            report(path["path"], "\"\(error.pattern)\" is no path pattern: \(error.reason)")
        }
        if configuration.mergesSlashes, match.path.contains("//") {
            report(path["path"], "no path has \"//\" while merge_slashes is on")
        }
        for (index, method) in match.methods.enumerated() {
            if !HTTPToken.isValid(method) {
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
        check(match.headers, path["headers"]) { tests throws(PatternError) in try ValueCondition.headers(tests) }
        check(match.query, path["query"]) { tests throws(PatternError) in try ValueCondition.query(tests) }
        for (index, network) in match.clients.enumerated() where !Syntax.isNetwork(network) {
            report(
                path["client"][index],
                "expected a network such as 10.0.0.0/8, ::1/128 or a bare address, not \"\(network)\"")
        }
    }

    private mutating func check(
        _ tests: [String: ValueTest], _ path: Path,
        _ read: ([String: ValueTest]) throws(PatternError) -> [ValueCondition]
    ) {
        let before = problems.count
        // Each by itself, so that all are told; then what is wrong with them together.
        let each = tests.sorted { $0.key < $1.key }.map { [$0.key: $0.value] }
        for (index, tests) in (each + [tests]).enumerated() where index < each.count || problems.count == before {
            do throws(PatternError) {
                _ = try read(tests)
            } catch {
                report(path[error.pattern], error.reason)
            }
        }
    }

    private mutating func check(_ target: RouteTarget, _ pattern: PathPattern?, _ path: Path) {
        switch target.kind {
        case .subscribe(let topics):
            let place = path["subscribe"]["topics"]
            if topics.isEmpty { report(place, "expected the name of a topic") }
            for (index, topic) in topics.enumerated() {
                checkTopic(topic, pattern, place[index])
                if topics.firstIndex(of: topic) != index { report(place[index], "the topic is listed twice") }
                if topics.count > 1 { checkShared(topic, place[index]) }
            }
        case .choose(let query, let allow):
            let place = path["subscribe"]
            if query.isEmpty { report(place["query"], "expected a name such as topic, for ?topic=...") }
            checkAllowed(allow, place["allow"])
        case .publish(let topic):
            checkTopic(topic, pattern, path["publish"]["topic"])
        case .publishAllowed(let patterns):
            checkAllowed(patterns, path["publish"]["allow"])
        case .respond(let response):
            check(response, path["respond"])
        case .proxy(let options):
            check(options, path["proxy"])
        case .redirect(let redirect):
            check(redirect, pattern, path["redirect"])
        case .files(let options):
            check(options, path["files"])
        }
    }

    /// The topics that a route leaves open: each pattern must take one that can exist.
    private mutating func checkAllowed(_ patterns: [String], _ path: Path) {
        if patterns.isEmpty { report(path, "expected the names of topics, or patterns such as feed.*") }
        let names = configuration.topics.keys
        for (index, text) in patterns.enumerated() {
            do throws(PatternError) {
                let pattern = try TopicPattern(text)
                let templates = names.compactMap { try? NameTemplate($0) }
                if !templates.contains(where: { pattern.canMatch($0) }) {
                    report(
                        path[index], "there is no topic that \"\(text)\" takes",
                        suggestion: Suggestion.nearest(to: text, in: names))
                }
            } catch {
                report(path[index], "\"\(text)\" is no pattern of topics: \(error.reason)")
            }
        }
    }

    /// The topic that a route names must be able to exist, with parameters that the route's path has.
    private mutating func checkTopic(_ name: String, _ pattern: PathPattern?, _ path: Path) {
        let template: NameTemplate
        do throws(PatternError) {
            template = try NameTemplate(name)
        } catch {
            return report(path, "\"\(name)\" is no name of a topic: \(error.reason)")
        }
        var isFilled = true
        let given = pattern?.parameterNames
        for parameter in template.parameterNames where given?.contains(parameter) == false {
            isFilled = false
            report(
                path, "the route's path has no {\(parameter)}",
                suggestion: Suggestion.nearest(to: parameter, in: given ?? []).map { "{\($0)}" })
        }
        let names = configuration.topics.keys
        if isFilled, !names.contains(where: { Self.canName(template, $0) }) {
            report(path, "there is no topic \"\(name)\"", suggestion: Suggestion.nearest(to: name, in: names))
        }
    }

    /// Several topics share a stream only where the gateway gives out the ids.
    private mutating func checkShared(_ name: String, _ path: Path) {
        guard let template = try? NameTemplate(name) else { return }
        let named = configuration.topics.filter { Self.canName(template, $0.key) }
        if !named.isEmpty, named.allSatisfy({ $0.value.ids != .gateway }) {
            report(path, "a stream of several topics needs ids: gateway in all of them")
        }
    }

    /// Whether a route's template can come to a topic of this name. One parameter alone stands for every name.
    private static func canName(_ template: NameTemplate, _ name: String) -> Bool {
        let isAnything = template.parameterNames.count == 1 && template.text == "{\(template.parameterNames[0])}"
        guard !isAnything, let topic = try? NameTemplate(name) else { return true }
        return topic.canOverlap(template)
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
            if let reason = Syntax.originPatternProblem(origin) { report(place[index], reason) }
        }
        if let any, policy.credentials {
            report(place[any], "\"*\" and credentials do not go together: browsers refuse it; list the origins")
        } else if let any, policy.origins.count > 1 {
            report(place[any], "\"*\" allows any origin already")
        }
        for (index, name) in policy.headers.enumerated() where !HTTPToken.isValid(name) || name == "*" {
            report(path["headers"][index], "\"\(name)\" is not the name of a field")
        }
        for (index, name) in policy.exposedHeaders.enumerated() where !HTTPToken.isValid(name) || name == "*" {
            report(path["expose"][index], "\"\(name)\" is not the name of a field")
        }
        time(policy.maxAge, path["max_age"], atLeast: .zero)
    }

    private mutating func check(_ authorization: Authorization, _ path: Path) {
        switch authorization.kind {
        case .bearer(let token): bearerToken(token, path["bearer"])
        }
    }

    /// b64token of RFC 6750, section 2.1, read generously.
    mutating func bearerToken(_ token: Secret, _ path: Path) {
        let isSendable = token.value.utf8.allSatisfy { $0 > 32 && $0 < 127 }
        if token.value.isEmpty {
            report(path, "the token is empty")
        } else if !isSendable {
            report(path, "a token has no spaces and no characters beyond ASCII")
        }
    }
}

/// What a route takes, to find out whether routes before it leave it anything.
struct RouteShape {
    let route: CompiledRoute
    /// `nil`: all of them.
    let methods: Set<String>?

    /// `nil` when something in its match is wrong.
    init?(_ route: Route) {
        guard let compiled = try? CompiledRoute(route.match, defaultMethods: route.target.standardMethods, index: 0)
        else { return nil }
        self.route = compiled
        methods = compiled.methods.isEmpty ? nil : Set(compiled.methods.map(\.name))
    }

    /// Why no request reaches this route; `nil` when one can. Routes before it may together take all its methods.
    func hiding(_ earlier: [(shape: RouteShape, index: Int)]) -> String? {
        var left = methods
        var takers: [Int] = []
        for (shape, index) in earlier where shape.route.coversAllButMethods(of: route) {
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
}
