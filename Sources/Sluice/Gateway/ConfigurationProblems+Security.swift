/// What protects a route and its clients.
extension ConfigurationCheck {
    mutating func check(_ limits: RouteLimits, _ path: Path) {
        if let rate = limits.rate {
            let place = path["rate"]
            count(rate.requests, place["requests"], atLeast: 1, atMost: 1_000_000)
            time(rate.per, place["per"], atLeast: .milliseconds(1))
            if let burst = rate.burst { count(burst, place["burst"], atLeast: 1, atMost: 1_000_000) }
            check(rate.key, place["key"])
        }
        if let streams = limits.streams {
            count(streams.most, path["streams"]["most"], atLeast: 1)
            check(streams.key, path["streams"]["key"])
        }
        if let body = limits.body { count(body, path["body"], atLeast: 0) }
    }

    private mutating func check(_ key: ClientKey, _ path: Path) {
        switch key.kind {
        case .address: break
        case .header(let name):
            if !HTTPToken.isValid(name) { report(path["header"], "\"\(name)\" is not the name of a field") }
        case .cookie(let name):
            if !HTTPToken.isValid(name) { report(path["cookie"], "\"\(name)\" is not the name of a cookie") }
        case .query(let name):
            if name.isEmpty { report(path["query"], "expected a name such as key, for ?key=...") }
        }
    }

    mutating func check(_ headers: SecurityHeaders, _ path: Path) {
        if let referrer = headers.referrer, !SecurityHeaders.referrerPolicies.contains(referrer) {
            report(
                path["referrer"], "expected off or \(SecurityHeaders.referrerPolicies.joined(separator: ", "))",
                suggestion: Suggestion.nearest(to: referrer, in: SecurityHeaders.referrerPolicies))
        }
        if let time = headers.strictTransport {
            self.time(time, path["hsts"], atLeast: .zero)
        } else if headers.includesSubdomains {
            report(path["hsts_subdomains"], "this says something only beside hsts")
        }
    }
}

extension Syntax {
    /// What is wrong with an origin of a CORS policy, or a pattern of them; `nil` when there are some that it takes.
    static func originPatternProblem(_ pattern: String) -> String? {
        guard let mark = pattern.firstRange(of: OriginPattern.mark) else { return originProblem(pattern) }
        let parent = pattern[mark.upperBound...]
        if let problem = originProblem("\(pattern[..<mark.lowerBound])://\(parent)") {
            return problem.replacing("https://app.example.com", with: "https://*.example.com")
                .replacing("://\(parent)\"", with: "://*.\(parent)\"")
        }
        let host = parent.prefix { $0 != ":" }
        guard host.contains(".") || host == "localhost" else {
            return "\"\(pattern)\" takes everybody below .\(host); expected a domain of your own, as in "
                + "https://*.example.com"
        }
        return nil
    }
}
