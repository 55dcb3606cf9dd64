import Testing

@testable import Sluice

@Suite struct ConnectQueueTests {
    private let rate = 1000 / ConnectQueue.intervalMilliseconds

    private func taken(_ queue: inout ConnectQueue, at now: UInt64, _ isWanted: (UInt32) -> Bool = { _ in true })
        -> [UInt32]
    {
        var taken: [UInt32] = []
        while let feed = queue.take(at: now, isWanted: isWanted) { taken.append(feed) }
        return taken
    }

    @Test func `a few feeds connect at once`() {
        var queue = ConnectQueue()
        #expect(queue.nextTime == nil)
        for feed in 0..<UInt32(ConnectQueue.burst) { queue.add(feed) }
        #expect(taken(&queue, at: 5000).count == Int(ConnectQueue.burst))
        #expect(queue.isEmpty && queue.nextTime == nil)
        queue.add(999)
        #expect(taken(&queue, at: 5000).isEmpty)
        #expect(queue.nextTime == 5000 + ConnectQueue.intervalMilliseconds)
    }

    @Test func `many feeds that are wanted at once have their turn in order, none before its time`() {
        var queue = ConnectQueue()
        for feed in 0..<UInt32(3000) { queue.add(feed) }
        var order: [UInt32] = []
        var now: UInt64 = 5000
        while let time = queue.nextTime {
            if time > now {
                #expect(taken(&queue, at: time - 1).isEmpty)
                now = time
            }
            order += taken(&queue, at: now)
            #expect(UInt64(order.count) <= ConnectQueue.burst + (now - 5000) * rate / 1000)
        }
        #expect(order.elementsEqual(0..<3000), "in order")
        #expect(now <= 5000 + 3000 * ConnectQueue.intervalMilliseconds)
    }

    @Test func `those that went while they waited keep nobody waiting`() {
        var queue = ConnectQueue()
        for feed in 0..<UInt32(10_000) { queue.add(feed) }
        _ = taken(&queue, at: 5000)
        queue.add(77_777)
        #expect(taken(&queue, at: 5002) { $0 == 77_777 } == [77_777])
        #expect(queue.isEmpty)
    }

    @Test func `who comes slowly never waits`() {
        var queue = ConnectQueue()
        for feed in 0..<UInt32(1000) {
            queue.add(feed)
            #expect(taken(&queue, at: UInt64(feed) * ConnectQueue.intervalMilliseconds) == [feed])
        }
    }
}
