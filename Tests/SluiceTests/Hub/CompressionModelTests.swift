import SluiceIO
import Synchronization
import Testing

@testable import Sluice

/// Whatever happens in whatever order: the text of a compressed stream is that of a plain one that began where it did.
@Suite struct CompressionModelTests {
    private struct Client {
        let token: Token
        let topics: [String]
    }

    /// Steps are chosen by chance; the seed repeats them.
    private final class Play {
        let fixture: ShardFixture
        let clock = TestClock()
        var chance: SplitMix
        var clients: [Client] = []
        /// The text of each event, in the order of sequences, and its topics.
        var published: [(sequence: UInt64, topics: [String], text: String)] = []

        init(seed: UInt64) throws {
            var options = CompressedStreamTests.options
            options.history = History(events: 1 << 20, bytes: 1 << 30)
            options.maxLag = 1 << 20
            fixture = try ShardFixture(["a": options, "b": options, "c": options], workers: 2, clock: clock)
            fixture.keepsBodies = true
            chance = SplitMix(state: seed)
        }

        func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &chance) }

        func step() throws {
            switch below(22) {
            case 0..<9: try publish()
            case 9..<11: try subscribe()
            case 11..<14: fixture.flush(worker: below(2))
            case 14: heartbeat()
            case 15: clock.advance(milliseconds: UInt64(below(20_000)))
            case 16: fixture.hub.sweep()
            case 17: try end(below(2 * clients.count + 1))
            default: if !clients.isEmpty { fixture.read(clients[below(clients.count)].token) }
            }
        }

        private func publish() throws {
            let all = ["a", "a", "a", "b", "c"]
            let topics = below(4) == 0 ? ["a", "b"] : [all[below(5)]]
            var data = "{\"number\":\(published.count),\"note\":\"\(String(repeating: "again ", count: below(60)))\"}"
            if below(16) == 0 { data = String(repeating: data, count: below(400)) }
            guard
                case .accepted = fixture.hub.publish(
                    [Publication(draft: EventDraft(data: Array(data.utf8)), topics: try topics.map(fixture.hub.topic))],
                    from: [nil, 0, 1][below(3)])
            else { return }
            let id = String(decoding: fixture.hub.id(of: fixture.hub.position), as: UTF8.self)
            published.append((fixture.hub.position, topics, "data: \(data)\nid: \(id)\n\n"))
        }

        private func subscribe() throws {
            let topics = [["a"], ["a"], ["a"], ["b"], ["a", "b"], ["c", "a"]][below(6)]
            let cursor = below(3) == 0 ? UInt64(below(Int(fixture.hub.position) + 1)) : nil
            let token = try fixture.subscribe(
                to: topics, after: cursor, worker: below(2), isCompressed: below(5) > 0)
            clients.append(Client(token: token, topics: topics))
        }

        private func heartbeat() {
            guard !clients.isEmpty else { return }
            let number = below(clients.count)
            fixture.heartbeat(clients[number].token)
        }

        /// Ends a client's stream and looks at the whole of it.
        func end(_ number: Int) throws {
            guard number < clients.count else { return }
            let client = clients.remove(at: number)
            _ = fixture.received(client.token)
            let body = try #require(fixture.end(client.token), "the stream is not whole")
            let start = try #require(fixture.opening(client.token))
            // Heartbeats fall anywhere between events; the rest is exact.
            let text = String(decoding: body, as: UTF8.self).split(separator: ":\n", omittingEmptySubsequences: false)
            let expected = published.filter { event in
                event.sequence > start && event.topics.contains(where: client.topics.contains)
            }
            #expect(text.joined() == expected.map(\.text).joined())
        }
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func `a stream's text is that of its topics, and its trailer says so`(seed: UInt64) throws {
        let play = try Play(seed: seed)
        for _ in 0..<800 { try play.step() }
        while !play.clients.isEmpty { try play.end(0) }
        for name in ["a", "b", "c"] {
            let topic = try play.fixture.hub.topic(named: name)
            #expect(topic.compressedStreams.load(ordering: .relaxed) == 0)
        }
        // It did come to windows.
        let windows = try play.fixture.hub.topic(named: "a").compression.withLock { $0.windowNumber }
        #expect(windows > 5)
    }
}
