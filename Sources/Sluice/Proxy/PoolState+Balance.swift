/// Which endpoint gets a request.
extension PoolState {
    /// The index of one that is free; of those to be avoided only when there is no other.
    mutating func choose(_ hash: UInt64?, _ avoiding: [UInt32], _ now: UInt64) -> Int? {
        let other = avoiding.isEmpty ? nil : pick(hash, avoiding, now)
        return other ?? pick(hash, [], now)
    }

    private mutating func pick(_ hash: UInt64?, _ avoiding: [UInt32], _ now: UInt64) -> Int? {
        switch options.balance.kind {
        case .hash:
            guard let hash else { return inTurn(avoiding, now) }
            return highest(hash, avoiding, now)
        case .random: return betterOfTwo(avoiding, now)
        case .leastConnections: return inTurn(avoiding, now) { $0.requests }
        case .roundRobin: return inTurn(avoiding, now)
        }
    }

    private func isCandidate(_ index: Int, _ avoiding: [UInt32], _ now: UInt64) -> Bool {
        isFree(endpoints[index], now) && !avoiding.contains(endpoints[index].id)
    }

    /// The next of those with the least load.
    private mutating func inTurn(
        _ avoiding: [UInt32], _ now: UInt64, load: (Endpoint) -> Int = { _ in 0 }
    ) -> Int? {
        var best: Int?
        for offset in endpoints.indices {
            let index = (turn + offset) % endpoints.count
            guard isCandidate(index, avoiding, now) else { continue }
            if let best, load(endpoints[best]) <= load(endpoints[index]) { continue }
            best = index
        }
        if let best { turn = best + 1 }
        return best
    }

    private mutating func betterOfTwo(_ avoiding: [UInt32], _ now: UInt64) -> Int? {
        let count = endpoints.indices.count { isCandidate($0, avoiding, now) }
        guard count > 1 else { return endpoints.indices.first { isCandidate($0, avoiding, now) } }
        let first = Int.random(in: 0..<count, using: &chance)
        // Of the others, so that they are two.
        let other = (first + Int.random(in: 1..<count, using: &chance)) % count
        var seen = 0
        var best: Int?
        for index in endpoints.indices where isCandidate(index, avoiding, now) {
            defer { seen += 1 }
            guard seen == first || seen == other else { continue }
            if let best, !isBetter(index, than: best, wins: seen == first) { continue }
            best = index
        }
        return best
    }

    /// Of equals that which chance picked first.
    private func isBetter(_ index: Int, than other: Int, wins: Bool) -> Bool {
        let (mine, its) = (endpoints[index].requests, endpoints[other].requests)
        return mine < its || mine == its && wins
    }

    /// Rendezvous: each key has an order of its own over all endpoints, so that of one that goes only the keys move, to
    /// all others alike.
    private func highest(_ hash: UInt64, _ avoiding: [UInt32], _ now: UInt64) -> Int? {
        var best: (index: Int, weight: UInt64)?
        for index in endpoints.indices where isCandidate(index, avoiding, now) {
            let weight = StableHash.mix(hash ^ endpoints[index].seed)
            if best == nil || weight > best?.weight ?? 0 { best = (index, weight) }
        }
        return best?.index
    }
}
