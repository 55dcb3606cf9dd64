internal import SluiceIO
internal import Synchronization

/// How many connections there are, in all and from each address, over all workers.
final class ConnectionLedger: Sendable {
    private let perAddress: Int
    private let total = Atomic<Int>(0)
    private let byAddress = Mutex<[IPAddress: Int]>([:])

    init(perAddress: Int) { self.perAddress = perAddress }

    var count: Int { total.load(ordering: .relaxed) }

    func opened() -> Int { total.add(1, ordering: .relaxed).newValue }

    func closed() { total.subtract(1, ordering: .relaxed) }

    /// Counts a connection for an address.
    /// - Returns: whether it is within the limit. It is counted either way.
    func count(_ address: IPAddress) -> Bool {
        byAddress.withLock { counts in
            let count = counts[address, default: 0] + 1
            counts[address] = count
            return count <= perAddress
        }
    }

    func uncount(_ address: IPAddress) {
        byAddress.withLock { counts in
            guard let count = counts[address] else { return }
            counts[address] = count > 1 ? count - 1 : nil
        }
    }
}
