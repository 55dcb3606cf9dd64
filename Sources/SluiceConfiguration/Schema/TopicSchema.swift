import Sluice

/// A source as it stands in a file: a feed, unless it has a ticker or a command.
struct SourceDraft {
    var feed = FeedOptions(url: "")
    var ticker: TickerOptions?
    /// Its `retry` is the feed's, which stands at the same place.
    var command = CommandOptions([])
    var isCommand = false

    init() {}

    init(_ source: SourceOptions) {
        switch source.kind {
        case .feed(let options): feed = options
        case .ticker(let options): ticker = options
        case .command(let options): setCommand(options)
        }
    }

    func source(_ decoding: Decoding) -> SourceOptions {
        isCommand ? .command(commandOptions(decoding)) : ticker.map { .ticker($0) } ?? .feed(feed)
    }

    var isFeed: Bool { ticker == nil && !isCommand }
}

extension Format where Value == SourceOptions {
    static var source: Format {
        let ticker = Key<SourceDraft>("ticker", optional: \.ticker, .ticker, "Events made by a clock.")
        let feed = feedKeys.map { key in
            // Commands are started again as feeds connect again.
            key.written { $0.isFeed || $0.isCommand && key.name == "retry" }
        }
        return Format<SourceDraft>.object(
            "sources.*", start: SourceDraft(), keys: feed + SourceDraft.commandKeys + [ticker], short: "url",
            rules: [
                .exactlyOne(["url", "command", "ticker"]),
                .needs(feed.map(\.name).filter { $0 != "url" && $0 != "retry" }, "url"),
                .needsOne(["retry"], ["url", "command"]),
                .needs(SourceDraft.commandKeys.map(\.name).filter { $0 != "command" }, "command"),
            ]
        ).map({ draft, decoding in draft.source(decoding) }, { SourceDraft($0) })
    }
}

extension Format where Value == TickerOptions {
    static var ticker: Format {
        .object(
            "sources.*.ticker", start: TickerOptions(every: .seconds(1)),
            keys: [
                Key("every", \.every, .duration, required: true, "The time between two events."),
                Key("event", optional: \.event, .text, "The events' type; none is sent when it is not given."),
                Key(
                    "data", \.data, .text,
                    "The events' data. `{n}` becomes the count from 1, `{time}` the time (ISO 8601, UTC)."),
                Key(
                    "id", optional: \.id, .text,
                    "The events' own id, seen by subscribers of a topic with `ids: upstream`; `{n}` and `{time}` as in "
                        + "`data`."),
            ])
    }
}

extension Format where Value == TopicOptions {
    static var topic: Format {
        let sources = Key<TopicOptions>(
            "sources", \.sources, .list(of: .text, "the names of sources", broken: ""),
            "What feeds it. None is fine for a topic that is published to.")
        return .object("topics.*", start: TopicOptions(), keys: [sources] + keys, short: "sources")
    }

    static var topicDefaults: Format {
        var format = object("topic_defaults", start: TopicOptions(), keys: keys)
        // The reference describes these keys once.
        format.table = nil
        return format
    }

    private static var keys: [Key<TopicOptions>] {
        [
            Key("history", \.history, .history, "What a client that comes back may get."),
            Key(
                "heartbeat", \.heartbeat, .duration,
                "The time without anything sent after which a comment is sent. 0: never."),
            Key("retry", \.retry, .duration, "The reconnection time sent once per stream. 0: none is sent."),
            Key(
                "retry_jitter", \.retryJitter, .part,
                "The part of `retry` by which it is spread: 0.5 turns 2 s into 1 to 3 s."),
            Key(
                "ids", \.ids, .choice(["gateway": .gateway, "upstream": .upstream, "off": .off]),
                "Whose event ids subscribers see. `gateway`: every event gets one. `upstream`: those of the source or "
                    + "publisher. `off`: none, and nothing can be resumed."),
            Key(
                "overflow", \.overflow, .choice(["disconnect": .disconnect, "skip": .skip, "latest": .latest]),
                "What happens to a subscriber that falls too far behind. `disconnect`: its stream ends, and it comes "
                    + "back with its position. `skip`: it goes on with what is held within `max_lag`, after a gap "
                    + "event. `latest`: it gets the newest event of each type (of each topic; of at most 256 types)."),
            Key("max_lag", \.maxLag, .size, "Bytes published after a stream began that its subscriber may lag behind."),
            Key(
                "gap_event", \.gapEvent, .optional("off", .text("off or the type of an event")),
                "The type of the event that tells a subscriber of a gap. `off`: none is sent."),
            Key(
                "on_gap", \.onGap, .choice(["replay": .replay, "live": .live]),
                "What follows a gap: the history that is there, or only what comes."),
            Key(
                "replay", \.replay, .replay,
                "What a client that brings no position gets first: nothing, the whole history, or so many of its newest "
                    + "events."),
            Key(
                "end", \.end, .choice(["clean": .clean, "abort": .abort]),
                "How the gateway ends a stream. `abort`: as if the connection broke, for clients that take a clean end "
                    + "for final."),
            Key(
                "max_age", \.maxAge, .duration,
                "The time after which a stream is ended, less up to a fifth of it. 0: never."),
            Key(
                "topic_field", \.topicField, .choice(["off": .off, "event": .event, "data": .data]),
                "Where an event says which topic it came from. `event`: in its type, `market` or `market:trade`. `data`: "
                    + "its data becomes `{\"topic\":\"market\",\"data\":\"...\"}`."),
            Key(
                "opening_id", \.openingID, .boolean,
                "Whether a stream begins with its position as `id:` and an empty line, which a browser remembers."),
            Key(
                "compression", \.compression, .boolean,
                "Whether streams are compressed (gzip) for clients that accept it. Off for events that hold a secret beside "
                    + "text that somebody else chooses, and for tiny ones."),
            Key("limit", \.limit, .integer, "Most live topics of a template."),
            Key(
                "linger", \.linger, .duration,
                "How long a template's topic stays after its last subscriber and its last publish."),
        ]
    }
}

extension Format where Value == History {
    static var history: Format {
        .object(
            "topics.*.history", start: History(),
            keys: [
                Key("events", \.events, .integer, "Most events."),
                Key("bytes", \.bytes, .size, "Most bytes."),
                Key("age", \.age, .duration, "Greatest age."),
            ])
    }
}

extension Format where Value == Replay {
    static var replay: Format {
        .scalar(
            "none, all or a number of events",
            read: { text, _ in
                switch text {
                case "none": .some(.none)
                case "all": .all
                default: Int(text).map { .newest($0) }
                }
            },
            write: { replay in
                switch replay.kind {
                case .none: "none"
                case .all: "all"
                case .newest(let events): "\(events)"
                }
            })
    }
}
