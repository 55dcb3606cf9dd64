import Testing

@testable import Sluice

@Suite struct FeedDemandTests {
    /// What comes of a feed's life: `(used, time)` in, the actions out.
    private func actions(_ demand: FeedDemand, _ life: [(Bool, UInt64)]) -> [FeedDemand.Action?] {
        var demand = demand
        return life.map { demand.look(isUsed: $0.0, at: $0.1) }
    }

    private let onDemand = FeedDemand(isOnDemand: true, lingerMilliseconds: 100)
    private let always = FeedDemand(isOnDemand: false, lingerMilliseconds: 100)

    @Test func `one that is always connected begins at once and never ends`() {
        #expect(actions(always, [(false, 0), (true, 1), (false, 2), (false, 1000)]) == [.connect, nil, nil, nil])
    }

    @Test func `one on demand begins with the first subscriber and ends a while after the last`() {
        let life: [(Bool, UInt64)] = [(false, 0), (true, 10), (true, 20), (false, 30), (false, 129), (false, 130)]
        #expect(actions(onDemand, life) == [nil, .connect, nil, nil, nil, .disconnect])
    }

    @Test func `a subscriber that comes meanwhile keeps the connection, and the time starts over`() {
        var demand = onDemand
        _ = demand.look(isUsed: true, at: 0)
        #expect(demand.look(isUsed: false, at: 10) == nil)
        #expect(demand.deadline == 110)
        #expect(demand.look(isUsed: true, at: 109) == nil)
        #expect(demand.deadline == nil)
        #expect(demand.look(isUsed: false, at: 200) == nil)
        #expect(demand.deadline == 300)
        #expect(demand.look(isUsed: false, at: 300) == .disconnect)
        #expect(demand.deadline == nil && !demand.isWanted)
        #expect(demand.look(isUsed: true, at: 301) == .connect)
    }

    @Test func `asking again while it lingers does not make it longer`() {
        var demand = onDemand
        _ = demand.look(isUsed: true, at: 0)
        for time: UInt64 in stride(from: 10, to: 110, by: 10) { #expect(demand.look(isUsed: false, at: time) == nil) }
        #expect(demand.look(isUsed: false, at: 110) == .disconnect)
    }

    @Test func `without a linger it ends with the last subscriber`() {
        let life: [(Bool, UInt64)] = [(true, 0), (false, 0), (false, 1)]
        #expect(
            actions(FeedDemand(isOnDemand: true, lingerMilliseconds: 0), life) == [.connect, .disconnect, nil])
    }

    @Test func `a feed with parameters connects on demand unless it is told otherwise`() {
        var options = FeedOptions(url: "http://a/")
        #expect(!options.demand.isOnDemand)
        options.url = "http://a/{b}"
        #expect(options.demand.isOnDemand && options.demand.lingerMilliseconds == 30_000)
        options.connect = .always
        #expect(!options.demand.isOnDemand)
        options.connect = .onDemand
        options.url = "http://a/"
        #expect(options.demand.isOnDemand)
    }
}
