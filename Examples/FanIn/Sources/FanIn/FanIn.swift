import Sluice

/// Two upstream feeds and the program's own events on one stream, in one order, with one id to come back with.
///
///     swift run FanIn https://feeds.example/trades https://feeds.example/news [127.0.0.1:8080]
///     curl -N localhost:8080/live
@main struct FanIn {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard arguments.count >= 2 else { return print("usage: FanIn URL URL [ADDRESS]") }

        var configuration = Configuration()
        configuration.listeners = [ListenerOptions(arguments.count > 2 ? arguments[2] : "127.0.0.1:8080")]
        var live = TopicOptions()
        for (number, url) in arguments.prefix(2).enumerated() {
            var feed = FeedOptions(url: url)
            feed.events.prefix = "feed\(number + 1)."  // who said it: feed1.trade
            configuration.sources["feed\(number + 1)"] = .feed(feed)
            live.sources.append("feed\(number + 1)")
        }
        configuration.topics["live"] = live
        configuration.routes = [
            Route(RouteMatch(path: "/live"), .subscribe("live"), cors: CORSPolicy(origins: ["*"])),
            Route(RouteMatch(path: "/publish"), .publish(topic: "live")),
        ]

        let gateway = try Gateway(configuration: configuration)
        print("listening on \(gateway.addresses.map(\.description).joined(separator: ", "))")
        async let served: Void = gateway.run()
        try gateway.hub.publish(ServerSentEvent("it has begun", event: "note"), to: "live")
        try await served
    }
}
