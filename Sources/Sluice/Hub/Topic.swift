internal import Synchronization

/// A named log of events. Its log is guarded by its own lock; who is interested in it, by the hub's.
final class Topic: Sendable {
    let name: String
    let options: TopicOptions
    let isInstance: Bool
    let log: Mutex<TopicLog>
    /// Subscribers of all workers.
    let subscribers = Atomic<Int>(0)
    /// Milliseconds of the last publish or the last end of a subscription; an idle instance is dropped after `linger`.
    let lastUse: Atomic<UInt64>
    /// The workers that post is sent to, a bit each; read and written under the hub's lock.
    let interest = Atomic<UInt64>(0)

    init(name: String, options: TopicOptions, isInstance: Bool, birth: UInt64, milliseconds: UInt64) {
        self.name = name
        self.options = options
        self.isInstance = isInstance
        log = Mutex(TopicLog(history: options.history, maxLag: options.maxLag, birth: birth))
        lastUse = Atomic(milliseconds)
    }
}
