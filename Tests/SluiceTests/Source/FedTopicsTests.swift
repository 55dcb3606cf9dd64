import Synchronization
import Testing

@testable import Sluice

@Suite struct FedTopicsTests {
    private func topic(_ name: String) -> Topic {
        Topic(name: name, options: TopicOptions(), isInstance: true, birth: 0, milliseconds: 0, workers: 1)
    }

    @Test func `topics are used as long as one of them has a subscriber`() {
        var topics = FedTopics()
        let (one, other) = (topic("a"), topic("b"))
        topics.look(at: one)
        topics.look(at: other)
        #expect(topics.list.count == 2 && !topics.isUsed)
        one.subscribers.add(2, ordering: .relaxed)
        other.subscribers.add(1, ordering: .relaxed)
        topics.look(at: one)
        topics.look(at: other)
        one.subscribers.subtract(2, ordering: .relaxed)
        topics.look(at: one)
        #expect(topics.isUsed)
        other.subscribers.subtract(1, ordering: .relaxed)
        topics.look(at: other)
        #expect(!topics.isUsed && topics.list.count == 2)
    }

    @Test func `a dropped topic is gone, in whatever order news of it come`() {
        var topics = FedTopics()
        let all = (0..<5).map { topic("\($0)") }
        for topic in all { topics.look(at: topic) }
        for index in [0, 4, 2] {
            all[index].subscribers.add(1, ordering: .relaxed)
            all[index].isDropped.store(true, ordering: .relaxed)
            topics.look(at: all[index])
            topics.look(at: all[index])
        }
        #expect(Set(topics.list.map(\.name)) == ["1", "3"] && !topics.isUsed)
        for index in [3, 1] {
            all[index].isDropped.store(true, ordering: .relaxed)
            topics.look(at: all[index])
        }
        #expect(topics.isEmpty)
    }
}
