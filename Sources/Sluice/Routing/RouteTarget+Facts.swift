/// What is known of a target without serving it.
extension RouteTarget {
    /// The methods that it serves by itself; empty: every method.
    package var standardMethods: [String] {
        switch kind {
        case .subscribe, .choose, .files: ["GET", "HEAD"]
        case .publish, .publishAllowed: ["POST"]
        case .respond, .proxy, .redirect: []
        }
    }

    /// Whether it passes requests on, so that it makes a difference what their fields are.
    package var isForwarding: Bool {
        switch kind {
        case .subscribe, .choose, .publish, .publishAllowed, .respond, .redirect, .files: false
        case .proxy: true
        }
    }

    /// Whether it makes a difference how a request's path is rewritten.
    package var looksAtPath: Bool { servesFiles || isForwarding }

    /// Whether it opens files for requests.
    package var servesFiles: Bool {
        if case .files = kind { true } else { false }
    }

    /// In a few words, as in the configuration: `subscribe market`.
    package var summary: String {
        switch kind {
        case .subscribe(let topics): "subscribe \(topics.joined(separator: ", "))"
        case .choose(let query, let allow): "subscribe ?\(query)= of \(allow.joined(separator: ", "))"
        case .publish(let topic): "publish \(topic)"
        case .publishAllowed(let patterns): "publish to topics of \(patterns.joined(separator: ", "))"
        case .respond(let response): "respond \(response.status)"
        case .proxy(let options): "proxy \(options.upstream)"
        case .redirect(let redirect): "redirect \(redirect.status) to \(redirect.location)"
        case .files(let options): "files \(options.root)"
        }
    }
}
