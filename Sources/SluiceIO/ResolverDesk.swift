/// Who waits for which name: the resolver's state, without threads and without a clock.
///
/// Each name is looked up once, whoever waits for it, so one dead name holds one thread. A name that outlived its
/// deadline is suspect, and suspects together leave one thread free for the others.
struct ResolverDesk {
    typealias Answer = Result<[IPAddress], ResolveError>

    struct Waiter: Sendable {
        let port: UInt16
        let deadline: UInt64
        let done: Resolver.Completion

        func complete(_ answer: Answer) {
            done(answer.map { addresses in addresses.map { .ip($0, port: port) } })
        }
    }

    private struct Job {
        var waiters: [Waiter] = []
        var isRunning = false
        let isSuspect: Bool
        let order: UInt64
    }

    private static let mostSuspects = 1024

    private let threads: Int
    private let capacity: Int
    private var jobs: [String: Job] = [:]
    private var suspects: Set<String> = []
    private var runningSuspects = 0
    private var orders: UInt64 = 0
    private(set) var waiting = 0
    private(set) var isStopped = false

    init(threads: Int, capacity: Int) {
        self.threads = threads
        self.capacity = capacity
    }

    /// Adds one who waits; the reason when there is no room.
    mutating func add(_ waiter: Waiter, for host: String) -> ResolveError? {
        if isStopped { return .stopped }
        if waiting >= capacity { return .busy }
        // A name whose callers all gave up may still be running; the new caller then waits for that same look-up.
        if jobs[host] == nil {
            orders += 1
            jobs[host] = Job(isSuspect: suspects.contains(host), order: orders)
        }
        jobs[host]?.waiters.append(waiter)
        waiting += 1
        return nil
    }

    /// The name to look up next: names in good standing first, then the oldest. At most as many as may wait are
    /// looked through.
    mutating func begin() -> String? {
        let maySuspect = runningSuspects < max(1, threads - 1)
        var best: (host: String, job: Job)?
        for (host, job) in jobs where !job.isRunning && (maySuspect || !job.isSuspect) {
            if let held = best?.job,
                (held.isSuspect ? 1 : 0, held.order) < (job.isSuspect ? 1 : 0, job.order)
            {
                continue
            }
            best = (host, job)
        }
        guard let best else { return nil }
        jobs[best.host]?.isRunning = true
        if best.job.isSuspect { runningSuspects += 1 }
        return best.host
    }

    /// Ends a look-up; answers who waited for it.
    mutating func finish(_ host: String, isLate: Bool) -> [Waiter] {
        guard let job = jobs.removeValue(forKey: host) else { return [] }
        if job.isSuspect { runningSuspects -= 1 }
        if isLate { suspect(host) } else { suspects.remove(host) }
        waiting -= job.waiters.count
        return job.waiters
    }

    /// Takes out those whose deadline has passed; with them go names nobody waits for any more and nobody began.
    mutating func expire(atMilliseconds now: UInt64) -> [Waiter] {
        var expired: [Waiter] = []
        for (host, job) in jobs where job.waiters.contains(where: { $0.deadline <= now }) {
            expired += job.waiters.filter { $0.deadline <= now }
            let left = job.waiters.filter { $0.deadline > now }
            if job.isRunning { suspect(host) }
            if left.isEmpty && !job.isRunning {
                jobs[host] = nil
            } else {
                jobs[host]?.waiters = left
            }
        }
        waiting -= expired.count
        return expired
    }

    /// Refuses everything from now on; answers who waited.
    mutating func stop() -> [Waiter] {
        isStopped = true
        let waiters = jobs.values.flatMap(\.waiters)
        for (host, job) in jobs {
            if job.isRunning { jobs[host]?.waiters = [] } else { jobs[host] = nil }
        }
        waiting = 0
        return waiters
    }

    var nextDeadline: UInt64? {
        jobs.values.lazy.flatMap(\.waiters).map(\.deadline).min()
    }

    private mutating func suspect(_ host: String) {
        // Forgetting all is coarse, and bounded.
        if suspects.count >= Self.mostSuspects { suspects.removeAll() }
        suspects.insert(host)
    }
}
