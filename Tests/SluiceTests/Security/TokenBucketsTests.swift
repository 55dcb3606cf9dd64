import Sluice
import SluiceIO
import Testing

@Suite struct `Token buckets` {
    private func client(_ number: UInt32) -> LimitKey { LimitKey(IPAddress(v4: number)) }

    @Test func `a burst passes, then one for each token`() {
        var buckets = TokenBuckets(requests: 10, perMilliseconds: 1000, burst: 3)
        for _ in 0..<3 { #expect(buckets.take(client(1), now: 5000) == nil) }
        #expect(buckets.take(client(1), now: 5000) == 100)
        #expect(buckets.take(client(1), now: 5099) == 1)
        #expect(buckets.take(client(1), now: 5100) == nil)
        #expect(buckets.take(client(1), now: 5100) == 100)
    }

    @Test func `a token that takes no whole number of milliseconds is exact in the long run`() {
        var buckets = TokenBuckets(requests: 7, perMilliseconds: 1000, burst: 1)
        let passed = (0..<100_000).count { buckets.take(client(1), now: UInt64($0)) == nil }
        #expect(passed == 700)
        #expect((100_000..<101_000).count { buckets.take(client(1), now: $0) == nil } == 7)
    }

    @Test func `clients do not take each other's tokens`() {
        var buckets = TokenBuckets(requests: 1, perMilliseconds: 1000, burst: 1)
        #expect(buckets.take(client(1), now: 0) == nil)
        #expect(buckets.take(client(2), now: 0) == nil)
        #expect(buckets.take(client(1), now: 0) == 1000)
    }

    @Test func `who goes on asking while nothing is left does not wait longer for it`() {
        var buckets = TokenBuckets(requests: 1, perMilliseconds: 1000, burst: 1)
        #expect(buckets.take(client(1), now: 0) == nil)
        for now in 1..<1000 { #expect(buckets.take(client(1), now: UInt64(now)) == UInt64(1000 - now)) }
        #expect(buckets.take(client(1), now: 1000) == nil)
    }

    @Test func `a bucket that rests holds no more than a burst`() {
        var buckets = TokenBuckets(requests: 10, perMilliseconds: 1000, burst: 2)
        #expect(buckets.take(client(1), now: 0) == nil)
        #expect((0..<5).count { _ in buckets.take(client(1), now: 60_000) == nil } == 2)
    }

    @Test func `a clock that is a tick behind takes nothing away`() {
        var buckets = TokenBuckets(requests: 1, perMilliseconds: 1000, burst: 2)
        #expect(buckets.take(client(1), now: 1010) == nil)
        #expect(buckets.take(client(1), now: 1000) == nil)
        #expect(buckets.take(client(1), now: 1010) == 1000)
    }

    @Test func `buckets that are full again are forgotten`() {
        var buckets = TokenBuckets(requests: 1, perMilliseconds: 1000, burst: 1)
        for number in 0..<50 { _ = buckets.take(client(UInt32(number)), now: 0) }
        #expect(buckets.count == 50)
        for _ in 0..<25 { _ = buckets.take(client(1), now: 10_000) }
        #expect(buckets.count == 1)
    }

    @Test func `there are never more than so many, and the one unused for longest goes`() {
        var buckets = TokenBuckets(requests: 1, perMilliseconds: 1_000_000, burst: 1, clients: 3)
        for number in 0..<3 { _ = buckets.take(client(UInt32(number)), now: 0) }
        #expect(buckets.take(client(0), now: 1) != nil)
        #expect(buckets.take(client(3), now: 1) == nil)
        #expect(buckets.count == 3)
        #expect(buckets.take(client(0), now: 1) != nil, "it asked a moment ago")
        #expect(buckets.take(client(1), now: 1) == nil, "it was forgotten")
        #expect(buckets.count == 3)
    }

    @Test func `nothing overflows at the bounds`() {
        for (requests, period, burst) in [
            (Int.max, UInt64.max, Int.max), (1, .max, .max), (.max, 1, 1), (0, 0, 0), (-1, 0, -1),
        ] {
            var buckets = TokenBuckets(requests: requests, perMilliseconds: period, burst: burst)
            for now in [0, 1, UInt64.max, .max / 2, .max] { _ = buckets.take(client(1), now: now) }
        }
    }

    @Test func `it does what a bucket of tokens does`() {
        var random = SystemRandomNumberGenerator()
        var buckets = TokenBuckets(requests: 4, perMilliseconds: 100, burst: 6, clients: 1000)
        // In twenty-fifths of a token, so that the model has no fractions: 4 in 100 ms is 1 a millisecond.
        var model: [UInt32: (level: UInt64, at: UInt64)] = [:]
        var now: UInt64 = 0
        for _ in 0..<20_000 {
            now += UInt64.random(in: 0...6, using: &random)
            let number = UInt32.random(in: 0..<8, using: &random)
            var bucket = model[number] ?? (level: 150, at: now)
            bucket = (level: min(150, bucket.level + now - bucket.at), at: now)
            let expected: UInt64? = bucket.level >= 25 ? nil : 25 - bucket.level
            if expected == nil { bucket.level -= 25 }
            model[number] = bucket
            #expect(buckets.take(client(number), now: now) == expected)
        }
    }
}
