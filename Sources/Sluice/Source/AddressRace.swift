internal import SluiceIO

/// Which address is tried next, and when: all of them, the families in turn, each a little after the one before, until
/// one takes the connection (RFC 8305, sections 4 and 5). A value: outcomes go in, addresses come out; time is given.
struct AddressRace: Sendable {
    /// RFC 8305, section 8: "Connection Attempt Delay".
    static let delayMilliseconds: UInt64 = 250

    private var waiting: [SocketAddress]
    private var running = 0
    private var lastBegan: UInt64?

    /// - Parameters:
    ///   - addresses: in the order of the system's preference (RFC 6724).
    ///   - avoided: one that took a connection the last time and then failed: it comes last.
    init(_ addresses: [SocketAddress], avoiding avoided: SocketAddress? = nil) {
        waiting = Self.interleaved(addresses)
        if waiting.count > 1, let avoided, let index = waiting.firstIndex(of: avoided) {
            waiting.append(waiting.remove(at: index))
        }
    }

    /// The families in turn, beginning with that of the first address; each keeps its own order.
    static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
        let isFirstV4 = addresses.first?.ip?.isV4 ?? true
        let same = addresses.filter { ($0.ip?.isV4 ?? true) == isFirstV4 }
        let other = addresses.filter { ($0.ip?.isV4 ?? true) != isFirstV4 }
        var result: [SocketAddress] = []
        for index in 0..<max(same.count, other.count) {
            if index < same.count { result.append(same[index]) }
            if index < other.count { result.append(other[index]) }
        }
        return result
    }

    /// The address to begin with now, if it is time for one.
    mutating func next(at now: UInt64) -> SocketAddress? {
        guard let time = nextTime, time <= now, !waiting.isEmpty else { return nil }
        lastBegan = now
        running += 1
        return waiting.removeFirst()
    }

    /// When the next one is due; `nil`: there is none.
    var nextTime: UInt64? {
        if waiting.isEmpty { return nil }
        guard running > 0, let lastBegan else { return 0 }
        return lastBegan &+ AddressRace.delayMilliseconds
    }

    /// One that was begun did not get through; with none left running the next need not wait.
    mutating func lost() { running = max(0, running - 1) }

    /// Nobody is left.
    var isOver: Bool { running == 0 && waiting.isEmpty }
}
