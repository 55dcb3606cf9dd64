import Synchronization
import Testing

@testable import Sluice

/// Whatever happens in whatever order: a stream gets what was published to its topics after the position that its head
/// names, in order and once.
@Suite struct HubModelTests {
    /// What was published: the events' names in the order of their sequences, and their topics.
    private struct Published {
        let sequence: UInt64
        let name: String
        let topics: Set<String>
    }

    private struct Client {
        let token: Token
        let topics: Set<String>
        let cursor: UInt64?
        var isGone = false
    }

    private static let literals = (0..<7).map { "topic\($0)" }
    private static let rooms = (0..<3).map { "room.\($0)" }

    /// Steps are chosen by chance; the seed repeats them.
    private final class Play {
        let fixture: ShardFixture
        var chance: SplitMix
        var published: [Published] = []
        var clients: [Client] = []

        init(seed: UInt64, window: UInt32?) throws {
            var options = TopicOptions()
            options.heartbeat = .zero
            options.history = History(events: 1 << 20, bytes: 1 << 30)
            options.maxLag = 256 << 10
            var room = options
            room.linger = .zero
            fixture = try ShardFixture(
                Dictionary(uniqueKeysWithValues: HubModelTests.literals.map { ($0, options) } + [("room.{n}", room)]),
                workers: 2, window: window)
            chance = SplitMix(state: seed)
        }

        func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &chance) }

        func some(_ names: [String]) -> [String] {
            Array(names.shuffled(using: &chance).prefix(1 + below(min(4, names.count))))
        }

        func step() throws {
            switch below(20) {
            case 0..<8: try publish()
            case 8..<10: try subscribe()
            case 10: leave()
            case 11..<14: fixture.flush(worker: below(2))
            case 14: fixture.shards[below(2)].takeMail()
            case 15: fixture.hub.sweep()
            default: if !clients.isEmpty { fixture.read(clients[below(clients.count)].token) }
            }
        }

        private func publish() throws {
            var batch: [Publication] = []
            var named: [(name: String, topics: [String])] = []
            for _ in 0...below(3) {
                let topics = some(HubModelTests.literals + HubModelTests.rooms)
                let name = "\(published.count + named.count)"
                let data = name + " " + String(repeating: "x", count: below(below(4) == 0 ? 40_000 : 100))
                named.append((name, topics))
                batch.append(
                    Publication(
                        draft: EventDraft(data: Array(data.utf8)), topics: try topics.map(fixture.hub.topic(named:))))
            }
            guard case .accepted = fixture.hub.publish(batch, from: [nil, 0, 1][below(3)]) else { return }
            let last = fixture.hub.position
            for (number, event) in named.enumerated() {
                published.append(
                    Published(
                        sequence: last - UInt64(named.count - 1 - number), name: event.name,
                        topics: Set(event.topics)))
            }
        }

        private func subscribe() throws {
            let hasCursor = below(2) == 0
            // A cursor from before an instance was made is a gap, which is no part of this.
            let topics = some(hasCursor ? HubModelTests.literals : HubModelTests.literals + HubModelTests.rooms)
            let cursor = hasCursor ? UInt64(below(Int(fixture.hub.position) + 1)) : nil
            let token = try fixture.subscribe(to: topics, after: cursor, worker: below(2))
            clients.append(Client(token: token, topics: Set(topics), cursor: cursor))
        }

        private func leave() {
            guard !clients.isEmpty else { return }
            let number = below(clients.count)
            fixture.unsubscribe(clients[number].token)
            clients[number].isGone = true
        }

        func expected(_ client: Client) -> [String] {
            guard let start = client.cursor ?? fixture.opening(client.token) else { return [] }
            return published.filter { $0.sequence > start && !client.topics.isDisjoint(with: $0.topics) }.map(\.name)
        }

        func received(_ client: Client) -> [String] {
            fixture.received(client.token).map { String($0.prefix { $0 != " " }) }
        }
    }

    @Test(arguments: 0..<12 as Range<UInt64>, [nil, 5000, 1 << 20])
    func `a stream gets what its topics get, whatever else happens`(seed: UInt64, window: UInt32?) throws {
        let play = try Play(seed: seed, window: window)
        for _ in 0..<400 { try play.step() }
        for client in play.clients {
            let received = play.received(client)
            let expected = play.expected(client)
            #expect(client.isGone ? received == Array(expected.prefix(received.count)) : received == expected)
            guard let opening = play.fixture.opening(client.token), let cursor = client.cursor else { continue }
            // Nothing of its topics lies between what it brought and what it was told.
            let skipped = play.published.filter { $0.sequence > cursor && $0.sequence <= opening }
            #expect(skipped.allSatisfy { client.topics.isDisjoint(with: $0.topics) })
        }
        for client in play.clients where client.isGone == false { play.fixture.unsubscribe(client.token) }
        for worker in 0..<2 { while play.fixture.flush(worker: worker) {} }
        // Nobody is waited for any more, and nobody is counted.
        for name in Self.literals {
            let topic = try play.fixture.hub.topic(named: name)
            #expect(topic.interest.load(ordering: .relaxed) == 0)
            #expect(topic.subscribers.load(ordering: .relaxed) == 0)
        }
    }

    @Test(arguments: 0..<6 as Range<UInt64>, [nil, 5000, 1 << 20])
    func `what was refused is taken when all that was published was written`(seed: UInt64, window: UInt32?) throws {
        let play = try Play(seed: seed, window: window)
        for _ in 0..<400 { try play.step() }
        for worker in 0..<2 { while play.fixture.flush(worker: worker) {} }
        for name in Self.literals {
            guard case .accepted = try play.fixture.publish(String(repeating: "x", count: 200_000), to: name) else {
                Issue.record("nothing waits, and \(name) is full")
                continue
            }
        }
    }
}
