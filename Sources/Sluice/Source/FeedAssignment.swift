/// Which feeds a topic has, and on which worker each of them runs. A value: it answers the same on every worker.
struct FeedAssignment: Sendable {
    /// What one connection is for: topics that ask the same of a source share it.
    struct Place: Sendable, Hashable {
        let source: String
        /// Path and query of the URL, its parameters filled.
        let target: String
    }

    /// A feed of a topic.
    struct Feed: Sendable {
        let place: Place
        let url: FeedURL
        let options: FeedOptions
        let worker: Int
        /// It was made for topics of a template and ends with the last of them.
        let isInstance: Bool
    }

    private enum Source {
        /// One feed for all topics.
        case whole(Feed)
        /// One for each filling of the URL's parameters.
        case parted(FeedOptions)
    }

    private let sources: [String: Source]
    private let templates: [NameTemplate]
    private let workers: Int

    /// - Parameters:
    ///   - sources: all sources; what is no feed is left aside.
    ///   - topics: all topics, of which the templates count.
    init(sources: [String: SourceOptions], topics: [String: TopicOptions], workers: Int) {
        self.workers = max(1, workers)
        templates = topics.filter { !$0.value.sources.isEmpty }.keys.sorted().compactMap { name in
            guard let template = try? NameTemplate(name), !template.isLiteral else { return nil }
            return template
        }
        let used = Set(topics.values.flatMap(\.sources))
        var found: [String: Source] = [:]
        for (number, (name, source)) in sources.sorted(by: { $0.key < $1.key }).enumerated() {
            guard case .feed(let options) = source.kind, used.contains(name) else { continue }
            guard !options.url.contains("{") else {
                found[name] = .parted(options)
                continue
            }
            guard let url = try? FeedURL(options.url) else { continue }
            found[name] = .whole(
                Feed(
                    place: Place(source: name, target: url.target), url: url, options: options,
                    worker: number % self.workers, isInstance: false))
        }
        self.sources = found
    }

    /// The feeds that exist from the start.
    var whole: [Feed] {
        sources.sorted { $0.key < $1.key }.compactMap { _, source in
            if case .whole(let feed) = source { feed } else { nil }
        }
    }

    /// The feeds of a topic.
    /// - Throws: when the topic's name makes no URL of one of its feeds.
    func feeds(of topic: String, sources names: [String]) throws(FeedURL.Problem) -> [Feed] {
        var feeds: [Feed] = []
        var values: PathParameters?
        for name in names {
            switch sources[name] {
            case .whole(let feed): feeds.append(feed)
            case .parted(let options):
                if values == nil { values = templates.lazy.compactMap { $0.match(topic) }.first ?? PathParameters() }
                let url = try FeedURL(options.url, filledWith: values ?? PathParameters())
                let place = Place(source: name, target: url.target)
                feeds.append(
                    Feed(place: place, url: url, options: options, worker: worker(of: place), isInstance: true))
            case nil: break
            }
        }
        return feeds
    }

    /// FNV-1a: the workers have to agree, which `Hasher` would see to only within one process and one release.
    private func worker(of place: Place) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for text in [place.source, place.target] {
            for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            hash = (hash ^ 0xFF) &* 0x100_0000_01B3
        }
        return Int(hash % UInt64(workers))
    }

    /// How many feeds there can be at most.
    static func most(sources: [String: SourceOptions], topics: [String: TopicOptions]) -> Int {
        var most = 0
        for (name, source) in sources {
            guard case .feed(let options) = source.kind else { continue }
            let using = topics.filter { $0.value.sources.contains(name) }
            let count = options.url.contains("{") ? using.reduce(0) { $0 + min($1.value.limit, 1 << 20) } : 1
            most = min(most + count, 1 << 30)
        }
        return most
    }
}
