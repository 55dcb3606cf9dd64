import Sluice

extension Format where Value == ProxyOptions {
    static var proxy: Format {
        .object(
            "routes[].proxy", start: ProxyOptions(upstream: ""),
            keys: [
                Key(
                    "upstream", \.upstream, .text("the name of an upstream"), required: true, "The name of an upstream."
                ),
                Key(
                    "heartbeat", \.heartbeat, .optional("off", .duration),
                    "How long a stream of events may be silent before a comment is put in between two events. `off`: "
                        + "never, so that bytes stay exactly what the upstream sent."),
                Key(
                    "on_upstream_loss", optional: \.onUpstreamLoss, .lastEvent,
                    "The event that a stream of events ends with when its upstream is lost between two events. Without "
                        + "it, or in the middle of an event, the stream is cut off visibly."),
                Key(
                    "upgrade", \.upgrade, .list(of: .text, "protocols", broken: "", allowsOne: true),
                    "Protocols that a client may change to by `Upgrade`; others are ignored."),
            ], short: "upstream")
    }
}

extension Format where Value == ProxyOptions.LastEvent {
    static var lastEvent: Format {
        .object(
            "routes[].proxy.on_upstream_loss", start: ProxyOptions.LastEvent(event: "", data: ""),
            keys: [
                Key("event", \.event, .text("the type of an event"), required: true, "Its type."),
                Key("data", \.data, .text, "Its data."),
            ])
    }
}
