internal import Synchronization

/// What came of one source and was not taken yet: where its loop and the tasks that iterate meet. Each side locks,
/// changes the state and tells the other: the loop by resuming a task that waits, a task by a command.
final class SourceInbox: Sendable {
    typealias Taken = (item: EventSource.Item?, mustResume: Bool)

    /// Names the source on its loop.
    let index: UInt32
    private let limit: Int
    private let state = Mutex(State())

    private struct State {
        var readyState = EventSource.State.connecting
        /// In the order of their coming.
        var arrived: [EventSource.Item] = []
        /// In reverse: the next one to be taken is the last.
        var next: [EventSource.Item] = []
        var bytes = 0
        /// Its loop waits until there is room.
        var isHalted = false
        /// Nothing comes after what waits.
        var isOver = false
        /// By the program: nothing comes, and nothing brings it back.
        var isClosed = false
        var waiting: [CheckedContinuation<Taken, Never>] = []

        mutating func take() -> EventSource.Item? {
            if next.isEmpty {
                next = arrived.reversed()
                arrived = []
            }
            guard let item = next.popLast() else { return nil }
            bytes -= item.cost
            return item
        }
    }

    private static let indexes = Atomic<UInt32>(0)

    init(limit: Int) {
        self.limit = max(1, limit)
        index = Self.indexes.wrappingAdd(1, ordering: .relaxed).newValue
    }

    var readyState: EventSource.State { state.withLock { $0.readyState } }

    /// Bytes that wait, and whether the loop waits for room.
    var load: (bytes: Int, isHalted: Bool) { state.withLock { ($0.bytes, $0.isHalted) } }

    // MARK: The loop's side

    /// Takes what came.
    /// - Parameter readyState: the state that goes with it; `nil`: the same as before.
    /// - Returns: whether it is full; the loop is then to wait for the command to resume.
    func put(_ items: [EventSource.Item], _ readyState: EventSource.State? = nil) -> Bool {
        let (handed, left, isFull) = state.withLock { state -> ([Handed], [CheckedContinuation<Taken, Never>], Bool) in
            guard !state.isClosed else { return ([], [], false) }
            if let readyState { state.readyState = readyState }
            let count = min(state.waiting.count, items.count)
            let handed = (0..<count).map { Handed(task: state.waiting[$0], item: items[$0]) }
            state.waiting.removeFirst(count)
            for item in items[count...] {
                state.arrived.append(item)
                state.bytes += item.cost
            }
            if readyState == .closed { state.isOver = true }
            state.isHalted = state.bytes > limit
            guard state.isOver else { return (handed, [], state.isHalted) }
            defer { state.waiting = [] }
            return (handed, state.waiting, state.isHalted)
        }
        for each in handed { each.task.resume(returning: (each.item, false)) }
        for task in left { task.resume(returning: (nil, false)) }
        return isFull
    }

    private struct Handed {
        let task: CheckedContinuation<Taken, Never>
        let item: EventSource.Item
    }

    /// The connection is made anew. What the server said last may have come after `reopen`.
    func restarted() {
        state.withLock { state in
            guard !state.isClosed else { return }
            state.readyState = .connecting
            state.isOver = false
        }
    }

    // MARK: The program's side

    /// Takes the next item, waits for it. `nil`: it is over.
    func next() async -> Taken {
        await withCheckedContinuation { continuation in
            let taken: Taken? = state.withLock { state in
                // A cancel before this line found nobody to wake.
                if state.isClosed { return (nil, false) }
                if let item = state.take() {
                    let mustResume = state.isHalted && state.bytes <= limit / 2
                    if mustResume { state.isHalted = false }
                    return (item, mustResume)
                }
                if state.isOver { return (nil, false) }
                state.waiting.append(continuation)
                return nil
            }
            if let taken { continuation.resume(returning: taken) }
        }
    }

    /// Undoes a stop by the server.
    /// - Returns: whether there is something to restart.
    func reopen() -> Bool {
        state.withLock { state in
            if !state.isClosed { state.isOver = false }
            return !state.isClosed
        }
    }

    /// - Returns: whether this call ended it.
    func close() -> Bool {
        let waiting = state.withLock { state -> [CheckedContinuation<Taken, Never>]? in
            guard !state.isClosed else { return nil }
            defer {
                state = State()
                state.isClosed = true
                state.readyState = .closed
            }
            return state.waiting
        }
        guard let waiting else { return false }
        for task in waiting { task.resume(returning: (nil, false)) }
        return true
    }
}

extension EventSource.Item {
    /// The memory that it takes while it waits, roughly.
    var cost: Int {
        switch self {
        case .event(let event):
            128 + event.data.utf8.count + event.type.utf8.count + event.lastEventID.utf8.count
        case .comment(let text): 128 + text.utf8.count
        // At most what a head may have.
        case .opened(let fields): fields.reduce(128) { $0 + 64 + $1.name.rawName.utf8.count + $1.value.utf8.count }
        case .error(let error): 128 + error.message.utf8.count
        case .retry, .notice: 128
        }
    }
}
