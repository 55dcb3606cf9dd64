import Sluice
import Testing

@testable import SluiceConfiguration

/// The keys of a feed beside its URL.
struct FeedTests {
    private func source(_ text: String, environment: [String: String] = [:]) throws -> FeedOptions {
        let file = try read(with("sources: {s: {url: \"https://a.example/\", \(text)}}"), environment: environment)
        guard case .feed(let feed) = try #require(file.configuration.sources["s"]).kind else {
            Issue.record("no feed")
            return FeedOptions(url: "")
        }
        return feed
    }

    private func problems(_ text: String) -> [String] {
        errors(in: with("sources: {s: {url: \"https://a.example/\", \(text)}}")).map {
            String($0.drop { $0 != " " }.dropFirst())
        }
    }

    @Test func `credentials are a token or a name and a password`() throws {
        #expect(
            try source("credentials: {bearer: \"${T}\"}", environment: ["T": "t"]).credentials == .bearer(Secret("t")))
        #expect(
            try source("credentials: {basic: {user: u, password: p}}").credentials
                == .basic(user: "u", password: Secret("p")))
    }

    @Test func `credentials come from files`() throws {
        let folder = try TemporaryFolder()
        try folder.write("s3cret\n", to: "token")
        let file = try read(
            with("sources: {s: {url: \"https://a/\", credentials: {bearer: {file: \(folder.path)/token}}}}"))
        guard case .feed(let feed) = try #require(file.configuration.sources["s"]).kind else { return }
        #expect(feed.credentials == .bearer(Secret("s3cret")))
        #expect(!file.effective.contains("s3cret"))
    }

    @Test func `credentials that cannot be sent`() {
        #expect(problems("credentials: {}").count == 1)
        #expect(problems("credentials: {bearer: a, basic: {user: u, password: p}}").count == 1)
        #expect(problems("credentials: {bearer: \"a b\"}").first?.contains("credentials.bearer") == true)
        #expect(problems("credentials: {bearer: \"\"}").first?.contains("empty") == true)
        #expect(problems("credentials: {basic: {user: u}}").count == 1)
        #expect(problems("credentials: {basic: {user: \"u:v\", password: p}}").first?.contains("colon") == true)
        #expect(problems("credentials: {basic: {user: u, password: \"p\\n\"}}").first?.contains("password") == true)
        #expect(problems("credentials: hunter2").first?.contains("hunter2") == false)
    }

    @Test func `the Authorization field is set once`() {
        let found = problems("credentials: {bearer: a}, headers: {authorization: b}")
        #expect(found == ["sources.s.headers.authorization: credentials set this field already"])
    }

    @Test func `when it connects, and which of its events pass`() throws {
        let feed = try source(
            "connect: on_demand, linger: 5s, status_event: feed-status, "
                + "events: {include: [trade, message], exclude: [x], rename: {trade: market.trade}, prefix: a.}")
        #expect(feed.connect == .onDemand && feed.linger == .seconds(5) && feed.statusEvent == "feed-status")
        #expect(feed.events.include == ["trade", "message"] && feed.events.exclude == ["x"])
        #expect(feed.events.rename == ["trade": "market.trade"] && feed.events.prefix == "a.")
        let plain = try source("status_event: off")
        #expect(plain.connect == .automatic && plain.statusEvent == nil && plain.events == FeedEvents())
    }

    @Test func `names of events that cannot be meant`() {
        #expect(problems("connect: sometimes").count == 1)
        #expect(problems("linger: -1s").count == 1)
        #expect(problems("status_event: \"\"").first?.contains("status_event") == true)
        #expect(problems("status_event: \"a\\nb\"").first?.contains("line ends") == true)
        #expect(problems("events: {prefix: \"a\\nb\"}").first?.contains("events.prefix") == true)
        #expect(problems("events: {include: [\"\"]}").first?.contains("called message") == true)
        #expect(problems("events: {include: [a], exclude: [b, a]}").first?.contains("exclude[1]") == true)
        #expect(problems("events: {include: [trade], rename: {trad: b}}").first?.contains("\"trade\"?") == true)
        #expect(problems("events: {exclude: [a], rename: {a: b}}").count == 1)
        #expect(problems("events: {rename: {a: \"\"}}").first?.contains("rename.a") == true)
        #expect(problems("events: {includ: [a]}").first?.contains("include") == true)
    }

    @Test func `a client certificate is a pair of files that are there`() {
        #expect(problems("client_certificate: {certificate: no.pem, key: no.key}").count == 2)
        #expect(problems("client_certificate: {certificate: no.pem}").count >= 1)
    }

    @Test func `a prefix is one that an id can begin with`() {
        #expect(problems("id_prefix: \"a\\nb\"").count == 1)
        #expect(problems("id_prefix: \(String(repeating: "a", count: 257))").count == 1)
        #expect(problems("dedupe: -1").count == 1)
        #expect(problems("id_prefix: a, dedupe: 0").isEmpty)
    }

    private func merged(_ prefixes: [String?], ids: EventIDs = .upstream) -> [String] {
        var configuration = Configuration()
        configuration.listeners = [ListenerOptions(":0")]
        var topic = TopicOptions()
        topic.ids = ids
        for (number, prefix) in prefixes.enumerated() {
            var feed = FeedOptions(url: "http://a\(number)")
            feed.idPrefix = prefix ?? ""
            configuration.sources["f\(number)"] = .feed(feed)
            topic.sources.append("f\(number)")
        }
        configuration.topics["t"] = topic
        return configuration.problems().map(\.description)
    }

    @Test func `several feeds under upstream ids need prefixes that keep them apart`() {
        #expect(merged(["a-", "b-"]).isEmpty)
        #expect(merged([nil]).isEmpty)
        #expect(merged([nil, nil], ids: .gateway).isEmpty)
        #expect(merged(["a-", nil]).first?.hasPrefix("topics.t.sources[1]: ") == true)
        #expect(merged([nil, nil]).count == 2)
        #expect(merged(["a", "a"]).count == 1)
        #expect(merged(["a", "ab"]).count == 1)
        #expect(merged(["ab", "a", "c"]).count == 1)
    }

    @Test func `a source that is listed twice is said once`() {
        var configuration = Configuration()
        configuration.listeners = [ListenerOptions(":0")]
        configuration.sources = ["a": .feed(url: "http://a"), "b": .feed(url: "http://b")]
        var topic = TopicOptions()
        topic.sources = ["a", "b", "a"]
        topic.ids = .upstream
        configuration.topics["t"] = topic
        let places = configuration.problems().map { $0.description.prefix { $0 != " " } }
        #expect(places == ["topics.t.sources[2]:", "topics.t.sources[0]:", "topics.t.sources[1]:"])
    }
}
