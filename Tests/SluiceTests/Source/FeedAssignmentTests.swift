import Testing

@testable import Sluice

@Suite struct FeedAssignmentTests {
    private func assignment(workers: Int = 4) -> FeedAssignment {
        var topics: [String: TopicOptions] = [:]
        for (name, sources) in [
            "all": ["whole"], "feed.{symbol}": ["parted", "whole"], "again.{symbol}": ["parted"], "plain": [],
        ] {
            topics[name] = TopicOptions()
            topics[name]?.sources = sources
        }
        return FeedAssignment(
            sources: [
                "whole": .feed(url: "http://a.example/all"), "parted": .feed(url: "http://a.example/of/{symbol}"),
                "unused": .feed(url: "http://a.example/no"), "clock": .ticker(TickerOptions(every: .seconds(1))),
            ], topics: topics, workers: workers)
    }

    private func places(_ topic: String, _ sources: [String]) throws -> [String] {
        try assignment().feeds(of: topic, sources: sources).map(\.place.target)
    }

    @Test func `a feed without parameters is one for all its topics, and there from the start`() throws {
        #expect(assignment().whole.map(\.place.source) == ["whole"])
        let one = try assignment().feeds(of: "all", sources: ["whole"])
        let other = try assignment().feeds(of: "feed.x", sources: ["parted", "whole"])
        #expect(one[0].place == other[1].place && one[0].worker == other[1].worker)
        #expect(!one[0].isInstance && other[0].isInstance)
    }

    @Test func `a feed with parameters is one for each filling, whichever topic wants it`() throws {
        #expect(try places("feed.x", ["parted", "whole"]) == ["/of/x", "/all"])
        #expect(try places("again.x", ["parted"]) == ["/of/x"])
        #expect(try places("feed.y z", ["parted"]) == ["/of/y%20z"])
        #expect(try places("plain", []).isEmpty)
    }

    @Test func `every worker has its share of the instances, and all agree`() throws {
        var shares = [Int](repeating: 0, count: 4)
        for number in 0..<4000 {
            let feed = try #require(try assignment().feeds(of: "feed.s\(number)", sources: ["parted"]).first)
            shares[feed.worker] += 1
            if number < 20 {
                #expect(try assignment().feeds(of: "feed.s\(number)", sources: ["parted"]).first?.worker == feed.worker)
            }
        }
        #expect(shares.allSatisfy { (800...1200).contains($0) }, "\(shares)")
    }

    @Test func `a topic that makes no URL is refused`() {
        #expect(throws: FeedURL.Problem.self) { try places("other", ["parted"]) }
    }

    @Test func `how many feeds there can be`() {
        var template = TopicOptions()
        template.sources = ["b", "a"]
        template.limit = 10
        #expect(
            FeedAssignment.most(
                sources: ["a": .feed(url: "http://a/"), "b": .feed(url: "http://b/{x}")],
                topics: ["t.{x}": template, "u.{x}": template]) == 21)
    }
}
