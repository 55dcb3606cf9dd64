/// The ids that an upstream sent lately, so that what it sends again after a reconnect is told from what is new.
///
/// Only own ids count, only after a reconnect, only until the first id that is new. An upstream that repeats ids within
/// one connection means something else by them, and nothing of it is dropped.
struct DedupeWindow: Sendable {
    enum Verdict: Equatable, Sendable {
        case new
        case duplicate
        /// New; and it is the first time that this upstream repeated an id within a connection.
        case repeated
    }

    /// Bytes of all ids together; a window of long ids is a shorter one.
    static let mostBytes = 1 << 20

    private let size: Int
    /// The connection in which each id came last.
    private var connections: [[UInt8]: UInt64] = [:]
    /// The ids in the order of their first coming, from `first` on.
    private var order: [[UInt8]] = []
    private var first = 0
    private var bytes = 0
    private var connection: UInt64 = 0
    private var isResuming = false
    private(set) var isOff: Bool

    /// - Parameter size: how many ids are kept; 0: nothing is ever dropped.
    init(size: Int) {
        self.size = max(0, size)
        isOff = size <= 0
    }

    /// A new connection begins.
    mutating func connected() {
        connection &+= 1
        isResuming = !connections.isEmpty
    }

    /// An event with an id of its own came.
    mutating func admit(_ id: [UInt8]) -> Verdict {
        guard !isOff, !id.isEmpty, id.count <= StreamRequest.longestID else { return .new }
        guard let earlier = connections[id] else {
            isResuming = false
            remember(id)
            return .new
        }
        if earlier == connection {
            self = DedupeWindow(size: 0)
            return .repeated
        }
        connections[id] = connection
        return isResuming ? .duplicate : .new
    }

    private mutating func remember(_ id: [UInt8]) {
        connections[id] = connection
        order.append(id)
        bytes += id.count
        while connections.count > size || bytes > DedupeWindow.mostBytes {
            guard first < order.count else { break }
            let oldest = order[first]
            first += 1
            bytes -= oldest.count
            connections[oldest] = nil
        }
        if first > 64, first > order.count / 2 {
            order.removeFirst(first)
            first = 0
        }
    }
}
