internal import Synchronization

/// A named log of events. Its log is guarded by its own lock; what else changes in it, by the hub's, unless it says so.
final class Topic: Sendable {
    let name: String
    let options: TopicOptions
    let form: EventForm
    let isInstance: Bool
    let log: Mutex<TopicLog>
    let compression: Mutex<TopicCompression>
    /// Compressed streams of this topic alone, of all workers.
    let compressedStreams = Atomic<Int>(0)
    /// Subscribers of all workers. Counted by them, without a lock.
    let subscribers = Atomic<Int>(0)
    /// Milliseconds of the last publish (not by its own sources) or the last end of a subscription; an idle instance is
    /// dropped after `linger`.
    let lastUse: Atomic<UInt64>
    /// An instance that was dropped: nothing is published to it any more.
    let isDropped = Atomic<Bool>(false)
    /// The workers that post is sent to, a bit each.
    let interest = Atomic<UInt64>(0)
    /// Subscriptions of this program, counted under the hub's lock, and the tasks among them that wait.
    let watchers = Atomic<Int>(0)
    let watch = TopicWatch()
    /// The log's `endOffset`.
    let published = Atomic<UInt64>(0)
    /// How far each worker is.
    let progress: [Progress]
    /// The log's cost as the hub counted it last, and the topic's place among all by cost.
    let countedCost = Atomic<Int>(0)
    let rank = Atomic<Int>(-1)
    /// Before this time, in milliseconds, no event of its history is too old and its log's cost is as it was counted.
    let agesAt = Atomic<UInt64>(0)

    /// How far one worker is with a topic.
    final class Progress: Sendable {
        /// Everything published up to this offset was written to those of its subscribers that are live. Stored by the
        /// worker.
        let done = Atomic<UInt64>(0)
        /// The topic's seat there, from the worker's interest to its end. For the worker's own thread.
        nonisolated(unsafe) var seat: TopicSeat?
    }

    init(
        name: String, options: TopicOptions, isInstance: Bool, birth: UInt64, milliseconds: UInt64, workers: Int,
        windows: TopicWindow.Seats = TopicWindow.Seats(limit: 0)
    ) {
        self.name = name
        self.options = options
        self.isInstance = isInstance
        form = EventForm(options, topic: name)
        log = Mutex(TopicLog(history: options.history, maxLag: options.maxLag, birth: birth))
        compression = Mutex(TopicCompression(options, windows))
        lastUse = Atomic(milliseconds)
        progress = (0..<workers).map { _ in Progress() }
    }

    /// Bytes that may be published and not yet be broadcast by a worker: the log keeps as many.
    var bound: UInt64 { UInt64(max(0, options.maxLag)) }

    /// Whether its log keeps a whole batch: more would push out its own beginning.
    func keeps(events: Int, bytes: Int) -> Bool {
        bytes <= options.maxLag || events <= options.history.events && bytes <= options.history.bytes
    }
}
