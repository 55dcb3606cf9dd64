import Testing

@testable import Sluice

@Suite struct EncodedBatchTests {
    private func topic(_ name: String) -> Topic {
        Topic(name: name, options: TopicOptions(), isInstance: true, birth: 0, milliseconds: 0, workers: 1)
    }

    private func batch(_ events: [(String, [Topic])]) -> EncodedBatch {
        var batch = EncodedBatch()
        for (data, topics) in events {
            batch.add(Publication(draft: EventDraft(data: Array(data.utf8)), topics: topics), epoch: [])
        }
        return batch
    }

    /// What each placement is: topic, and whether it begins a publication.
    private func placements(_ batch: EncodedBatch) -> [String] {
        batch.placements.map { "\(batch.shares[$0.share].topic.name)\($0.isFirst ? "" : "+")" }
    }

    @Test func `the next instance takes the events of one that was dropped`() {
        let (a, b, next) = (topic("a"), topic("b"), topic("next"))
        var batch = batch([("1", [a, b]), ("2", [b]), ("3", [a])])
        let bytes = batch.shares.map(\.bytes)
        batch.replace(a, by: next)
        #expect(placements(batch) == ["next", "b+", "b", "next"])
        #expect(batch.shares.map(\.bytes) == bytes)
    }

    @Test func `without a next one nothing gets them, and what the others get keeps its place in the order`() {
        let (a, b, c) = (topic("a"), topic("b"), topic("c"))
        var batch = batch([("1", [a, b, c]), ("2", [a]), ("3", [c, a])])
        batch.replace(a, by: nil)
        #expect(placements(batch) == ["b", "c+", "c"])
        #expect(batch.shares.map(\.events) == [1, 2])
    }

    @Test func `an emptied batch is as a new one`() {
        let (a, b) = (topic("a"), topic("b"))
        var batch = batch((0..<8).map { ("\($0)", [topic("t\($0)"), a]) })
        batch.removeAll()
        batch.add(EventDraft(data: [0x78]), to: b, epoch: [])
        #expect(placements(batch) == ["b"])
        #expect(batch.shares.map(\.events) == [1])
    }
}
