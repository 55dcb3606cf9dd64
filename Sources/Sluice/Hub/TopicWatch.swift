internal import Synchronization

/// The tasks of this process that wait for a topic's next event. Workers are told by mailbox, tasks by this.
struct TopicWatch: ~Copyable, Sendable {
    private let waiting = Mutex<[ObjectIdentifier: CheckedContinuation<Void, Never>]>([:])
    /// How many they are, so that a publish to a topic without any takes no lock.
    private let count = Atomic<Int>(0)

    /// Registers who waits. It has to look for news once more afterwards: what came before is not told.
    func add(_ key: ObjectIdentifier, _ continuation: CheckedContinuation<Void, Never>) {
        waiting.withLock { waiting in
            waiting[key] = continuation
            count.store(waiting.count, ordering: .sequentiallyConsistent)
        }
    }

    func wake(_ key: ObjectIdentifier) {
        let found = waiting.withLock { waiting in
            defer { count.store(waiting.count, ordering: .sequentiallyConsistent) }
            return waiting.removeValue(forKey: key)
        }
        found?.resume()
    }

    /// The topic has news. After the hub's lock.
    func wakeAll() {
        guard count.load(ordering: .sequentiallyConsistent) > 0 else { return }
        let all = waiting.withLock { waiting in
            defer { waiting = [:] }
            count.store(0, ordering: .sequentiallyConsistent)
            return waiting
        }
        for continuation in all.values { continuation.resume() }
    }
}
