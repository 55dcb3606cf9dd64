/// Which endpoint gets a request.
extension PoolState {
    /// What a request wants.
    private struct Wish {
        let hash: UInt64?
        var avoiding: [UInt32]
        let now: UInt64
        var takesEjected = false
    }

    /// The index of one that is free; of those to be avoided only when there is no other.
    mutating func choose(_ hash: UInt64?, _ avoiding: [UInt32], _ now: UInt64) -> Int? {
        var wish = Wish(hash: hash, avoiding: avoiding, now: now)
        if !avoiding.isEmpty, let other = firstChoice(wish) { return other }
        wish.avoiding = []
        return firstChoice(wish)
    }

    /// Those that are ejected are asked all the same when nobody else is left, for that they still fail is a guess. One
    /// that only has as many requests as it may is somebody.
    private mutating func firstChoice(_ wish: Wish) -> Int? {
        var wish = wish
        wish.takesEjected = !endpoints.contains { $0.isUsable(at: wish.now) && !wish.avoiding.contains($0.id) }
        return pick(wish)
    }

    private mutating func pick(_ wish: Wish) -> Int? {
        switch options.balance.kind {
        case .hash:
            guard let hash = wish.hash else { return inTurn(wish) }
            return highest(hash, wish)
        case .random: return betterOfTwo(wish)
        case .leastConnections: return inTurn(wish) { $0.requests }
        case .roundRobin: return inTurn(wish)
        }
    }

    private func isCandidate(_ index: Int, _ wish: Wish) -> Bool {
        let endpoint = endpoints[index]
        let isWell = wish.takesEjected ? !endpoint.isDown : endpoint.isUsable(at: wish.now)
        return isWell && hasRoom(endpoint) && !wish.avoiding.contains(endpoint.id)
    }

    /// The next of those with the least load.
    private mutating func inTurn(_ wish: Wish, load: (Endpoint) -> Int = { _ in 0 }) -> Int? {
        var best: Int?
        for offset in endpoints.indices {
            let index = (turn + offset) % endpoints.count
            guard isCandidate(index, wish) else { continue }
            if let best, load(endpoints[best]) <= load(endpoints[index]) { continue }
            best = index
        }
        if let best { turn = best + 1 }
        return best
    }

    private mutating func betterOfTwo(_ wish: Wish) -> Int? {
        let count = endpoints.indices.count { isCandidate($0, wish) }
        guard count > 1 else { return endpoints.indices.first { isCandidate($0, wish) } }
        let first = Int.random(in: 0..<count, using: &chance)
        // Of the others, so that they are two.
        let other = (first + Int.random(in: 1..<count, using: &chance)) % count
        var seen = 0
        var best: Int?
        for index in endpoints.indices where isCandidate(index, wish) {
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
    private func highest(_ hash: UInt64, _ wish: Wish) -> Int? {
        var best: (index: Int, weight: UInt64)?
        for index in endpoints.indices where isCandidate(index, wish) {
            let weight = StableHash.mix(hash ^ endpoints[index].seed)
            if best == nil || weight > best?.weight ?? 0 { best = (index, weight) }
        }
        return best?.index
    }
}
