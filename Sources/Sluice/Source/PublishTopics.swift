/// Which topics a route publishes to.
enum PublishTopics: Sendable {
    /// One, named by the route, perhaps with parameters of the path.
    case named(NameTemplate)
    /// Those that the request names, as far as these patterns allow it.
    case allowed([TopicPattern])

    /// The names of events' topics.
    enum Names: Sendable, Equatable {
        /// All have this one.
        case same(String)
        /// In the order of the events.
        case each([String])

        subscript(event: Int) -> String {
            switch self {
            case .same(let name): name
            case .each(let names): names[event]
            }
        }
    }

    /// The name of each event's topic. Whether there is such a topic is for the hub to say.
    func names(for request: PublishRequest, _ parameters: PathParameters) throws(PublishRefusal) -> Names {
        switch self {
        case .named(let template):
            guard let name = template.fill(parameters) else { throw PublishRefusal(404, "no topic has this name") }
            if let topic = request.topic, topic != name { throw Self.otherTopic("the query's topic: ", name) }
            for (index, event) in request.events.enumerated() where event.topic != nil && event.topic != name {
                throw Self.otherTopic(request.isList ? "[\(index)].topic: " : "topic: ", name)
            }
            return .same(name)
        case .allowed(let patterns):
            var names: [String] = []
            names.reserveCapacity(request.events.count)
            for (index, event) in request.events.enumerated() {
                let place = request.isList ? index : nil
                guard let name = event.topic ?? request.topic else {
                    throw .at(place, "topic", 400, "missing: name it here or in the query")
                }
                guard name.utf8.count <= TopicCatalog.longestName else {
                    throw .at(place, "topic", 400, "a name has at most \(TopicCatalog.longestName) bytes")
                }
                if names.last != name, !patterns.allow(name) {
                    throw .at(place, "topic", 403, "this route does not publish to \(PublishRefusal.shown(name))")
                }
                names.append(name)
            }
            return .each(names)
        }
    }

    private static func otherTopic(_ place: String, _ name: String) -> PublishRefusal {
        PublishRefusal(400, "\(place)this route publishes to \(PublishRefusal.shown(name)) alone")
    }
}
