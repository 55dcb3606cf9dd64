import Sluice
import Testing

@testable import SluiceConfiguration

/// What each key may hold; a configuration built in code gets the same answers.
struct ProblemTests {
    private func problems(_ change: (inout Configuration) -> Void) -> [String] {
        var configuration = Configuration()
        configuration.listeners = [ListenerOptions(":0")]
        change(&configuration)
        return configuration.problems().map(\.description)
    }

    @Test func `a configuration built in code is checked as a file is`() {
        let found = problems { configuration in
            configuration.listeners = []
            configuration.workers = 0
            configuration.log.level = "inf"
            configuration.trustedProxies = ["10.0.0.0/99"]
            configuration.shutdownGrace = .seconds(-1)
            configuration.limits.topics = 0
            configuration.limits.writeTimeout = .zero
        }
        #expect(found.count == 7, "\(found)")
        #expect(found.contains { $0.hasSuffix("did you mean \"info\"?") })
    }

    @Test func `an address can be listened on once, but port 0 as often as one likes`() {
        let found = problems {
            $0.listeners = [":80", ":0", ":80", ":0"].map { ListenerOptions($0) }
        }
        #expect(found == ["listeners[2].address: :80 is listened on already, by listeners[0]"])
    }

    @Test func `who may name clients is said where that is listened for`() {
        func found(_ address: String, _ trusted: [String]) -> [String] {
            problems { configuration in
                configuration.trustedProxies = trusted
                configuration.listeners = [":0", address].map { ListenerOptions($0) }
                configuration.listeners[1].proxyProtocol = true
            }
        }
        let reason = "only trusted_proxies may connect to a listener with proxy_protocol, and none are given"
        #expect(found(":0", []) == ["listeners[1].proxy_protocol: \(reason)"])
        #expect(found(":0", ["10.0.0.0/8"]).isEmpty)
        #expect(found("unix:/run/x.sock", []).isEmpty)
    }

    @Test(arguments: [
        "ftp://a/", "http://", "http:///x", "nonsense", "http://u:p@a/", "http://a:0/", "http://a:x/", "http://a/#f",
        "http://a/ b", "http://{x}/", "http://a/{", "http://[::1", "https://ä/",
    ])
    func `what is no feed`(url: String) {
        let found = problems { $0.sources["s"] = .feed(url: url) }
        #expect(found.count == 1 && found[0].hasPrefix("sources.s.url: "), "\(found)")
    }

    @Test(arguments: ["http://a", "https://a.example:8443/x/{y}?z={w}", "HTTP://[::1]:80/", "http://a?b"])
    func `what is a feed`(url: String) {
        #expect(problems { $0.sources["s"] = .feed(url: url) }.isEmpty)
    }

    @Test func `fields of a feed cannot split its request or contradict it`() {
        var feed = FeedOptions(url: "http://a/")
        feed.headers = ["A b": Secret("x"), "X": Secret("a\r\nEvil: 1"), "host": Secret("b"), "Ok": Secret("")]
        let found = problems { [feed] in $0.sources["s"] = .feed(feed) }
        #expect(found.count == 3, "\(found)")
    }

    @Test func `what is no command`() {
        func found(_ command: [String], _ change: (inout CommandOptions) -> Void = { _ in }) -> [String] {
            var options = CommandOptions(command)
            change(&options)
            return problems { [options] in $0.sources["s"] = .command(options) }
        }
        #expect(found(["no-such-program", "", "-x"]).isEmpty)
        #expect(found([]).count == 1)
        #expect(found([""]) == ["sources.s.command[0]: expected the name of a program"])
        #expect(found(["a", "b\0"]) == ["sources.s.command[1]: cannot contain NUL"])
        #expect(found(["a"]) { $0.event = "a\nb" }.count == 1)
        #expect(found(["a"]) { ($0.event, $0.format) = ("a", .sse) }.count == 1)
        #expect(found(["a"]) { $0.directory = "" }.count == 1)
        #expect(found(["a"]) { $0.environment = ["A=B": Secret(""), "": Secret(""), "C": Secret("\0")] }.count == 3)
        #expect(found(["a"]) { $0.retry.initial = .zero }.count == 1)
    }

    @Test func `a command feeds no template`() {
        let found = problems { configuration in
            configuration.sources["s"] = .command(["date"])
            var topic = TopicOptions()
            topic.sources = ["s"]
            configuration.topics = ["a": topic, "b.{x}": topic]
        }
        #expect(found.count == 1 && found[0].hasPrefix("topics.\"b.{x}\".sources[0]: "), "\(found)")
    }

    @Test func `a program that is not there is a warning, and no problem`() {
        var configuration = Configuration()
        configuration.listeners = [ListenerOptions(":0")]
        configuration.sources = [
            "a": .command(["no-such-program-here"]), "b": .command(["/etc/passwd"]), "c": .command(["sh", "-c", "x"]),
        ]
        #expect(configuration.problems().isEmpty)
        #expect(
            configuration.warnings().map(\.description) == [
                "sources.a.command[0]: the program no-such-program-here cannot be run in the folders of PATH: "
                    + "No such file or directory (ENOENT)",
                "sources.b.command[0]: the program /etc/passwd cannot be run: Permission denied (EACCES)",
            ])
    }

    @Test func `two templates that can match one name`() {
        let overlapping = [("a.{x}", "{y}.b"), ("{x}", "a{y}"), ("a{x}b", "a{y}b"), ("{x}.{y}", "a.{z}")]
        for (one, other) in overlapping {
            #expect(problems { $0.topics = [one: .init(), other: .init()] }.count == 1, "\(one) \(other)")
        }
        let apart = [
            ("a.{x}", "b.{x}"), ("{x}.a", "{x}.b"), ("a.{x}", "a."), ("a{x}", "a"), ("{x}", "literal"),
            ("{x}", "a.{y}"),
        ]
        for (one, other) in apart {
            #expect(problems { $0.topics = [one: .init(), other: .init()] }.isEmpty, "\(one) \(other)")
        }
    }

    @Test(arguments: ["", "{", "a}", "{}", "{a}{b}", "{a}.{a}", "{a.b}", "a\n"])
    func `what is no name of a topic`(name: String) {
        #expect(problems { $0.topics[name] = TopicOptions() }.count == 1)
    }

    @Test func `a feed's parameters come from the topic`() {
        let found = problems { configuration in
            configuration.sources["s"] = .feed(url: "http://a/{symbol}")
            var topic = TopicOptions()
            topic.sources = ["s"]
            configuration.topics = ["a.{symbol}": topic, "b.{symbl}": topic, "c": topic]
        }
        #expect(
            found == [
                "topics.\"b.{symbl}\".sources[0]: the URL of \"s\" needs {symbol}, which the topic's name does not have; "
                    + "did you mean \"{symbl}\"?",
                "topics.c.sources[0]: the URL of \"s\" needs {symbol}, which the topic's name does not have",
            ])
    }

    private func routes(_ routes: Route...) -> [String] {
        problems {
            $0.topics = ["t": TopicOptions(), "u.{x}": TopicOptions()]
            $0.routes = routes
        }
    }

    @Test func `topics of routes exist and are filled by the path`() {
        let good = ["t", "u.1", "u.{a}", "{a}", "{a}.{b}"]
        for name in good {
            #expect(routes(Route(RouteMatch(path: "/{a}/{b}"), .subscribe(name))).isEmpty, "\(name)")
        }
        #expect(routes(Route(RouteMatch(path: "/"), .publish(topic: "v.1"))).count == 1)
        #expect(routes(Route(RouteMatch(path: "/{a}"), .publish(topic: "w.{a}"))).count == 1)
        #expect(
            routes(Route(RouteMatch(path: "/{topic}"), .publish(topic: "{topc}")))
                == ["routes[0].publish.topic: the route's path has no {topc}; did you mean \"{topic}\"?"])
        #expect(routes(Route(RouteMatch(path: "/"), .subscribe("t", "t"))).count == 1)
        #expect(routes(Route(RouteMatch(path: "/"), .subscribe(topics: []))).count == 1)
    }

    @Test func `several topics on one stream need the gateway's ids`() {
        func shared(_ target: RouteTarget) -> [String] {
            problems {
                $0.topics = ["t": TopicOptions(), "u.{x}": TopicOptions(), "v": TopicOptions()]
                $0.topics["v"]?.ids = .upstream
                $0.routes = [Route(RouteMatch(path: "/{x}"), target)]
            }
        }
        #expect(shared(.subscribe("t", "u.{x}")).isEmpty)
        #expect(shared(.subscribe("v")).isEmpty)
        #expect(
            shared(.subscribe("t", "v"))
                == ["routes[0].subscribe.topics[1]: a stream of several topics needs ids: gateway in all of them"])
        #expect(shared(.subscribe(query: "topic", allow: ["t", "u.*", "*"])).isEmpty)
        #expect(shared(.subscribe(query: "", allow: [])).count == 2)
        #expect(
            shared(.subscribe(query: "topic", allow: ["w.*"]))
                == ["routes[0].subscribe.allow[0]: there is no topic that \"w.*\" takes"])
    }

    @Test func `a route that leaves the topic open allows topics that can exist`() {
        #expect(routes(Route(RouteMatch(path: "/"), .publish(allow: ["t", "u.*", "u.1", "*"]))).isEmpty)
        #expect(
            routes(Route(RouteMatch(path: "/"), .publish(allow: ["t.*", "u", "*.u", "{a}", "tt"])))
                == [
                    "routes[0].publish.allow[0]: there is no topic that \"t.*\" takes",
                    "routes[0].publish.allow[1]: there is no topic that \"u\" takes; did you mean \"t\"?",
                    "routes[0].publish.allow[2]: \"*.u\" is no pattern of topics: \"*\" stands alone as the last segment, "
                        + "such as feed.*",
                    "routes[0].publish.allow[3]: \"{a}\" is no pattern of topics: a pattern has no {parameters}; \"*\" as "
                        + "the last segment stands for the rest",
                    "routes[0].publish.allow[4]: there is no topic that \"tt\" takes; did you mean \"t\"?",
                ])
        #expect(
            routes(Route(RouteMatch(path: "/"), .publish(allow: [])))
                == ["routes[0].publish.allow: expected the names of topics, or patterns such as feed.*"])
    }

    @Test(arguments: ["", "x", "/a?b", "/a%", "/a/**/b", "/a*", "/{", "/{a}{b}", "/x{a}", "/{a}/{a}", "/../a", "/./a"])
    func `what is no path pattern`(path: String) {
        #expect(routes(Route(RouteMatch(path: path), .subscribe("t"))).count == 1)
    }

    @Test func `a route nobody can reach`() {
        let ok = RouteTarget.respond(FixedResponse())
        func hidden(_ first: RouteMatch..., by target: RouteTarget = ok, second: RouteMatch) -> Bool {
            let all = first.map { Route($0, target) } + [Route(second, target)]
            let found = problems {
                $0.topics = ["t": TopicOptions()]
                $0.routes = all
            }
            return found.contains { $0.contains("no request reaches this route") }
        }
        #expect(hidden(RouteMatch(path: "/a"), second: RouteMatch(path: "/a")))
        #expect(hidden(RouteMatch(path: "/{x}"), second: RouteMatch(path: "/a")))
        #expect(hidden(RouteMatch(path: "/a/**"), second: RouteMatch(path: "/a/{b}/**")))
        #expect(hidden(RouteMatch(host: "*.a", path: "/"), second: RouteMatch(host: "B.a", path: "/")))
        #expect(
            hidden(
                RouteMatch(path: "/", methods: ["GET"]), RouteMatch(path: "/", methods: ["POST"]),
                second: RouteMatch(path: "/", methods: ["GET", "POST"])))
        #expect(!hidden(RouteMatch(path: "/a"), second: RouteMatch(path: "/{x}")))
        #expect(!hidden(RouteMatch(path: "/a/**"), second: RouteMatch(path: "/**")))
        #expect(!hidden(RouteMatch(path: "/", accept: "text/event-stream"), second: RouteMatch(path: "/")))
        #expect(!hidden(RouteMatch(path: "/", methods: ["GET"]), second: RouteMatch(path: "/")))
        #expect(!hidden(RouteMatch(host: "*.a", path: "/"), second: RouteMatch(host: "c.b.a", path: "/")))
        #expect(!hidden(RouteMatch(host: "a", path: "/"), second: RouteMatch(path: "/")))
        #expect(!hidden(RouteMatch(path: "/"), by: .subscribe("t"), second: RouteMatch(path: "/", methods: ["POST"])))
    }

    @Test func `any origin with credentials`() {
        func found(_ policy: CORSPolicy) -> [String] {
            routes(Route(RouteMatch(path: "/"), .subscribe("t"), cors: policy))
        }
        #expect(found(CORSPolicy(origins: ["*"], credentials: true)).count == 1)
        #expect(found(CORSPolicy(origins: ["*"])).isEmpty)
        #expect(found(CORSPolicy(origins: ["https://a.example", "http://localhost:3000"], credentials: true)).isEmpty)
        for origin in [
            "a.example", "https://", "https://a/", "https://A.example", "https://a:443", "null", "https://*.a",
        ] {
            #expect(found(CORSPolicy(origins: [origin])).count == 1, "\(origin)")
        }
        #expect(found(CORSPolicy(origins: [])).count == 1)
        #expect(found(CORSPolicy(origins: ["https://a"], headers: ["X Y"], maxAge: .seconds(-1))).count == 2)
    }

    @Test func `responses, tokens and methods`() {
        func found(_ response: FixedResponse) -> Int { routes(Route(RouteMatch(path: "/"), .respond(response))).count }
        #expect(found(FixedResponse(status: 99)) == 1)
        #expect(found(FixedResponse(status: 600)) == 1)
        #expect(found(FixedResponse(status: 204, body: "x")) == 1)
        #expect(found(FixedResponse(headers: [("Content-Length", "5")])) == 1)
        #expect(found(FixedResponse(headers: [("A", "x\r\nB: y")])) == 1)
        #expect(routes(Route(RouteMatch(path: "/"), .subscribe("t"), authorization: .bearer(Secret("")))).count == 1)
        #expect(routes(Route(RouteMatch(path: "/"), .subscribe("t"), authorization: .bearer(Secret("a b")))).count == 1)
        #expect(
            routes(Route(RouteMatch(path: "/", methods: ["post"]), .publish(topic: "t")))
                == [
                    "routes[0].match.methods[0]: methods are case-sensitive, and \"post\" is none that is in use; "
                        + "did you mean \"POST\"?"
                ])
    }

    @Test func `suggestions are near and never far-fetched`() {
        let names = ["heartbeat", "history", "retry", "ids"]
        #expect(Suggestion.nearest(to: "histroy", in: names) == "history")
        #expect(Suggestion.nearest(to: "Heartbeats", in: names) == "heartbeat")
        #expect(Suggestion.nearest(to: "proxy", in: names) == nil)
        #expect(Suggestion.nearest(to: "", in: names) == nil)
        #expect(Suggestion.nearest(to: String(repeating: "x", count: 10_000), in: names) == nil)
    }
}
