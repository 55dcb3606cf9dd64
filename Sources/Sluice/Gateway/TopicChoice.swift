internal import SluiceHTTP

/// Which topics a request's stream is of: those that its route names, or those that its query chooses.
enum TopicChoice {
    /// Without doubles. They may exist or not.
    case names([String])
    case refused(status: UInt16, reason: String)

    /// Topics that one request may choose.
    static let limit = 100

    init(_ target: Plan.Target, _ exchange: Exchange, _ hub: Hub) {
        switch target {
        case .subscribe(let templates): self = .filled(templates, exchange.parameters)
        case .choose(let query, let allow): self = .chosen(query, allow, exchange.head)
        default: self = .refused(status: 404, reason: "this is no stream")
        }
        // One number is the cursor for several topics only where the hub gives out the ids.
        if case .names(let names) = self, names.count > 1,
            let other = names.first(where: { hub.options(ofTopic: $0)?.ids ?? .gateway != .gateway })
        {
            self = .refused(status: 400, reason: "\(other) has ids of its own, so it cannot share a stream")
        }
    }

    private static func filled(_ templates: [NameTemplate], _ parameters: PathParameters) -> TopicChoice {
        var names: [String] = []
        for template in templates {
            guard let name = template.fill(parameters) else {
                return .refused(status: 404, reason: "no topic has this name")
            }
            if !names.contains(name) { names.append(name) }
        }
        return .names(names)
    }

    private static func chosen(_ query: String, _ allow: [TopicPattern], _ head: RequestHead) -> TopicChoice {
        let values = QueryString.values(of: [query], in: head.query, atMost: limit + 1)
        guard !values.isEmpty else {
            return .refused(status: 400, reason: "the query names no topic: ?\(query)=name, once for each")
        }
        guard values.count <= limit else {
            return .refused(status: 400, reason: "one stream is of at most \(limit) topics")
        }
        var names: [String] = []
        for value in values {
            guard let bytes = value.decoded, let name = String(validating: bytes, as: UTF8.self) else {
                return .refused(status: 400, reason: "the query's \(query) is not percent-encoded UTF-8")
            }
            guard allow.allow(name) else {
                return .refused(status: 403, reason: "this address does not serve one of the topics asked for")
            }
            if !names.contains(name) { names.append(name) }
        }
        return .names(names)
    }
}
