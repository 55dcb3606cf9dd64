/// Sources and topics.
extension ConfigurationCheck {
    mutating func checkSources() {
        for (name, source) in configuration.sources.sorted(by: { $0.key < $1.key }) {
            let path = Path()["sources"][name]
            switch source.kind {
            case .ticker(let ticker): check(ticker, path["ticker"])
            case .feed(let feed): check(feed, path)
            case .command(let command): check(command, path)
            }
        }
    }

    private mutating func check(_ ticker: TickerOptions, _ path: Path) {
        time(ticker.every, path["every"], atLeast: .milliseconds(1))
        if let event = ticker.event { eventField(event, path["event"]) }
        if let id = ticker.id { eventField(id, path["id"]) }
        if ticker.data.utf8.contains(0) { report(path["data"], "an event's data cannot contain NUL") }
    }

    mutating func check(_ retry: FeedRetry, _ path: Path) {
        time(retry.initial, path["initial"], atLeast: .milliseconds(1))
        time(retry.maximum, path["maximum"], atLeast: .milliseconds(1))
        time(retry.resetAfter, path["reset_after"], atLeast: .zero)
        time(retry.refused, path["refused"], atLeast: .milliseconds(1))
        part(retry.jitter, path["jitter"])
        if retry.maximum < retry.initial {
            report(path["maximum"], "the longest delay is shorter than the first (initial)")
        }
    }

    mutating func checkTopics() {
        var templates: [NameTemplate] = []
        for (name, topic) in configuration.topics.sorted(by: { $0.key < $1.key }) {
            let path = Path()["topics"][name]
            check(topic, path)
            do throws(PatternError) {
                let template = try NameTemplate(name)
                checkSources(of: topic, template, path)
                guard !template.isLiteral else { continue }
                for other in templates where other.canOverlap(template) {
                    report(path, "this template and \"\(other.text)\" can match one name")
                }
                templates.append(template)
            } catch {
                report(path, "this is no name of a topic: \(error.reason)")
            }
        }
    }

    private mutating func check(_ topic: TopicOptions, _ path: Path) {
        count(topic.history.events, path["history"]["events"], atLeast: 0)
        count(topic.history.bytes, path["history"]["bytes"], atLeast: 0)
        time(topic.history.age, path["history"]["age"], atLeast: .zero)
        time(topic.heartbeat, path["heartbeat"], atLeast: .zero)
        time(topic.retry, path["retry"], atLeast: .zero)
        part(topic.retryJitter, path["retry_jitter"])
        count(topic.maxLag, path["max_lag"], atLeast: 1)
        if case .newest(let events) = topic.replay.kind { count(events, path["replay"], atLeast: 1) }
        time(topic.maxAge, path["max_age"], atLeast: .zero)
        count(topic.limit, path["limit"], atLeast: 1)
        time(topic.linger, path["linger"], atLeast: .zero)
        if let gap = topic.gapEvent {
            if gap.isEmpty { report(path["gap_event"], "expected the type of an event, or off") }
            eventField(gap, path["gap_event"])
        }
    }

    private mutating func checkSources(of topic: TopicOptions, _ template: NameTemplate, _ path: Path) {
        var seen: Set<String> = []
        for (index, name) in topic.sources.enumerated() {
            let place = path["sources"][index]
            guard let source = configuration.sources[name] else {
                report(
                    place, "there is no source \"\(name)\"",
                    suggestion: Suggestion.nearest(to: name, in: configuration.sources.keys))
                continue
            }
            if !seen.insert(name).inserted { report(place, "the source \"\(name)\" is listed twice") }
            if case .command = source.kind, !template.isLiteral {
                report(place, "\"\(name)\" is a command, which cannot feed a template: it knows no parameters")
            }
            if case .feed(let feed) = source.kind {
                let given = template.parameterNames
                for parameter in Syntax.parameters(ofURL: feed.url) ?? [] where !given.contains(parameter) {
                    report(
                        place,
                        "the URL of \"\(name)\" needs {\(parameter)}, which the topic's name does not have",
                        suggestion: Suggestion.nearest(to: parameter, in: given).map { "{\($0)}" })
                }
            }
        }
        if topic.ids == .upstream, topic.sources.count > 1 { checkIDs(of: topic, path) }
    }

    mutating func eventField(_ text: String, _ path: Path) {
        if !Syntax.isEventField(text) { report(path, "cannot contain line ends or NUL") }
    }
}
