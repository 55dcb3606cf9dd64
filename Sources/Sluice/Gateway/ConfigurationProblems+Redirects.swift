/// Redirects.
extension ConfigurationCheck {
    mutating func check(_ redirect: Redirect, _ pattern: PathPattern?, _ path: Path) {
        if !Redirect.statuses.contains(redirect.status) {
            report(path["status"], "expected 301, 302, 303, 307 or 308, not \(redirect.status)")
        }
        do throws(PatternError) {
            let template = try RedirectTemplate(redirect.location)
            guard let given = pattern?.parameterNames else { return }
            for name in template.parameterNames where !given.contains(name) {
                report(
                    path["to"], "the route's path has no {\(name)}",
                    suggestion: Suggestion.nearest(to: name, in: given + RedirectTemplate.names).map { "{\($0)}" })
            }
        } catch {
            report(path["to"], "\"\(error.pattern)\" is nowhere to go: \(error.reason)")
        }
    }
}
