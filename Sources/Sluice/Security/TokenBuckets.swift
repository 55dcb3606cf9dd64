/// A bucket of tokens for each client, of at most so many clients. A request takes a token; the bucket gets new ones
/// evenly over time.
///
/// A bucket is one number (GCRA): when it is full again. Time is counted in milliseconds times the requests of a period,
/// so that a token takes a whole number of units and nothing is rounded. The bounds of `init` keep all sums below 2^63.
///
/// The buckets stand in the order of their last use. One that is full again is as good as none: each request forgets at
/// most two such at the old end. When all are in use, the one that was unused for longest is forgotten.
package struct TokenBuckets {
    private struct Bucket {
        let key: LimitKey
        var fullAt: UInt64
        var older: Int
        var newer: Int
    }

    package static let mostRequests = 1 << 20
    private static let none = -1

    private let requests: UInt64
    private let tokenCost: UInt64
    private let capacity: UInt64
    private let mostClients: Int
    private var buckets: [Bucket] = []
    private var free: [Int] = []
    private var places: [LimitKey: Int] = [:]
    private var oldest = none
    private var newest = none
    private var latest: UInt64 = 0

    /// - Parameters:
    ///   - requests: tokens that a bucket gets in a period, 1 to 2^20.
    ///   - milliseconds: the period, 1 to 2^36.
    ///   - burst: tokens that a bucket holds, 1 to 2^20.
    ///   - clients: buckets that are kept.
    package init(requests: Int, perMilliseconds milliseconds: UInt64, burst: Int, clients: Int = 100_000) {
        self.requests = UInt64(min(max(requests, 1), Self.mostRequests))
        tokenCost = min(max(milliseconds, 1), 1 << 36)
        capacity = tokenCost * UInt64(min(max(burst, 1), Self.mostRequests))
        mostClients = max(clients, 1)
    }

    /// How many buckets are kept.
    package var count: Int { places.count }

    /// Takes a token.
    /// - Parameter now: monotonic milliseconds. One that is behind that of others counts as theirs.
    /// - Returns: `nil` when there was one; else the milliseconds until there is.
    package mutating func take(_ key: LimitKey, now: UInt64) -> UInt64? {
        latest = max(latest, min(now, 1 << 42) * requests)
        let now = latest
        forgetFull(now)
        let place = place(of: key)
        touch(place)
        let fullAt = max(buckets[place].fullAt, now) + tokenCost
        let wait = Int64(fullAt) - Int64(now) - Int64(capacity)
        guard wait <= 0 else { return (UInt64(wait) + requests - 1) / requests }
        buckets[place].fullAt = fullAt
        return nil
    }

    private mutating func place(of key: LimitKey) -> Int {
        if let place = places[key] { return place }
        if places.count >= mostClients { forgetOldest() }
        let bucket = Bucket(key: key, fullAt: 0, older: Self.none, newer: Self.none)
        let place: Int
        if let reused = free.popLast() {
            place = reused
            buckets[place] = bucket
        } else {
            place = buckets.count
            buckets.append(bucket)
        }
        places[key] = place
        append(place)
        return place
    }

    private mutating func forgetFull(_ now: UInt64) {
        for _ in 0..<2 where oldest != Self.none && buckets[oldest].fullAt <= now { forgetOldest() }
    }

    private mutating func forgetOldest() {
        guard oldest != Self.none else { return }
        let place = oldest
        unlink(place)
        places[buckets[place].key] = nil
        free.append(place)
    }

    // MARK: The order of use

    private mutating func touch(_ place: Int) {
        guard place != newest else { return }
        unlink(place)
        append(place)
    }

    private mutating func append(_ place: Int) {
        buckets[place].older = newest
        buckets[place].newer = Self.none
        if newest == Self.none { oldest = place } else { buckets[newest].newer = place }
        newest = place
    }

    private mutating func unlink(_ place: Int) {
        let (older, newer) = (buckets[place].older, buckets[place].newer)
        if older == Self.none { oldest = newer } else { buckets[older].newer = newer }
        if newer == Self.none { newest = older } else { buckets[newer].older = older }
    }
}
