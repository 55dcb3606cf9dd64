internal import Synchronization

/// All topics by the memory of their logs, the largest first: a binary heap. Part of the hub's state, under its lock.
///
/// All logs have the same share, so the one furthest above it is the largest. They are compared in whole KiB: most
/// events then leave a topic where it stands.
struct CostRanking: ~Copyable {
    private var heap: [Topic] = []
    /// The cost of all.
    private(set) var total = 0

    var largest: Topic? { heap.first }

    /// Takes a topic in, or takes down its new cost.
    mutating func settle(_ topic: Topic, cost: Int) {
        var slot = topic.rank.load(ordering: .relaxed)
        if slot < 0 {
            slot = heap.count
            heap.append(topic)
            topic.rank.store(slot, ordering: .relaxed)
        }
        let before = topic.countedCost.exchange(cost, ordering: .relaxed)
        total += cost - before
        guard Self.size(before) != Self.size(cost) else { return }
        rise(slot)
        sink(topic.rank.load(ordering: .relaxed))
    }

    mutating func remove(_ topic: Topic) {
        let slot = topic.rank.exchange(-1, ordering: .relaxed)
        guard slot >= 0, slot < heap.count, let last = heap.popLast() else { return }
        total -= topic.countedCost.exchange(0, ordering: .relaxed)
        guard last !== topic else { return }
        place(last, slot)
        rise(slot)
        sink(last.rank.load(ordering: .relaxed))
    }

    private static func size(_ cost: Int) -> Int { cost >> 10 }

    private func size(_ slot: Int) -> Int { Self.size(heap[slot].countedCost.load(ordering: .relaxed)) }

    private mutating func place(_ topic: Topic, _ slot: Int) {
        heap[slot] = topic
        topic.rank.store(slot, ordering: .relaxed)
    }

    private mutating func exchange(_ one: Int, _ other: Int) {
        let topic = heap[one]
        place(heap[other], one)
        place(topic, other)
    }

    private mutating func rise(_ slot: Int) {
        var slot = slot
        while slot > 0, size(slot) > size((slot - 1) / 2) {
            exchange(slot, (slot - 1) / 2)
            slot = (slot - 1) / 2
        }
    }

    private mutating func sink(_ slot: Int) {
        var slot = slot
        while true {
            var largest = slot
            for child in [2 * slot + 1, 2 * slot + 2] where child < heap.count && size(child) > size(largest) {
                largest = child
            }
            guard largest != slot else { return }
            exchange(slot, largest)
            slot = largest
        }
    }
}
