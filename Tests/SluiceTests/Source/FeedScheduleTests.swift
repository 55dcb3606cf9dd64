import Testing

@testable import Sluice

@Suite struct FeedScheduleTests {
    private func delays(_ schedule: inout FeedSchedule, _ count: Int, chance: Double = 0) -> [UInt64?] {
        (0..<count).map { _ in schedule.delay(after: .failed, at: 0, chance: chance) }
    }

    @Test func `delays double up to the maximum`() {
        var schedule = FeedSchedule(FeedRetry())
        #expect(delays(&schedule, 7) == [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
    }

    @Test func `chance takes off up to the jitter and never makes a delay longer`() {
        var schedule = FeedSchedule(FeedRetry())
        #expect(delays(&schedule, 2, chance: 1) == [500, 1000])
    }

    @Test func `backoff starts over only after a good while`() {
        var schedule = FeedSchedule(FeedRetry())
        _ = delays(&schedule, 3)
        schedule.received(event: true, at: 1000)
        #expect(schedule.delay(after: .failed, at: 60_999, chance: 0) == 8000)
        schedule.received(event: true, at: 100_000)
        #expect(schedule.delay(after: .failed, at: 160_000, chance: 0) == 1000)
    }

    @Test func `comments alone are a good state too`() {
        var schedule = FeedSchedule(FeedRetry())
        _ = delays(&schedule, 3)
        schedule.received(event: false, at: 0)
        #expect(schedule.delay(after: .failed, at: 60_000, chance: 0) == 1000)
    }

    @Test func `an upstream that accepts and closes keeps backing off, one that delivered does not`() {
        var schedule = FeedSchedule(FeedRetry())
        _ = delays(&schedule, 3)
        #expect(schedule.delay(after: .endedCleanly, at: 0, chance: 0) == 8000)
        schedule.received(event: false, at: 0)
        #expect(schedule.delay(after: .endedCleanly, at: 1, chance: 0) == 16_000, "a greeting is no delivery")
        schedule.received(event: true, at: 0)
        #expect(schedule.delay(after: .endedCleanly, at: 1, chance: 0) == 1000)
    }

    @Test func `retry of the upstream sets the base, clamped at both ends`() {
        var schedule = FeedSchedule(FeedRetry())
        schedule.setBase(milliseconds: 1)
        #expect(schedule.delay(after: .failed, at: 0, chance: 0) == 100)
        schedule.setBase(milliseconds: .max)
        #expect(schedule.delay(after: .failed, at: 0, chance: 0) == 3_600_000)
    }

    @Test func `a refusal waits long, Retry-After is honoured, 204 stops`() {
        var schedule = FeedSchedule(FeedRetry())
        #expect(schedule.delay(after: .refused, at: 0, chance: 0) == 300_000)
        #expect(schedule.delay(after: .later(milliseconds: 7000), at: 0, chance: 0) == 7000)
        #expect(schedule.delay(after: .stopped, at: 0, chance: 0) == nil)
    }

    @Test func `Retry-After makes no attempt come sooner than the backoff would`() {
        var schedule = FeedSchedule(FeedRetry())
        #expect(schedule.delay(after: .later(milliseconds: 0), at: 0, chance: 0) == 1000)
        #expect(schedule.delay(after: .later(milliseconds: 0), at: 0, chance: 0) == 2000)
        #expect(schedule.delay(after: .later(milliseconds: 7000), at: 0, chance: 0) == 7000)
    }

    @Test func `nor does a refusal`() {
        var retry = FeedRetry()
        retry.refused = .zero
        var schedule = FeedSchedule(retry)
        #expect(schedule.delay(after: .refused, at: 0, chance: 0) == 1000)
        #expect(schedule.delay(after: .refused, at: 0, chance: 0) == 2000)
    }

    @Test func `a thousand failures overflow nothing`() {
        var schedule = FeedSchedule(FeedRetry())
        #expect(delays(&schedule, 1000).last == 30_000)
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity, -1]) func `a jitter that is no part is borne`(jitter: Double) {
        var retry = FeedRetry()
        retry.jitter = jitter
        var schedule = FeedSchedule(retry)
        #expect(schedule.delay(after: .failed, at: 0, chance: 0) == 1000)
        #expect(schedule.delay(after: .refused, at: 0, chance: 1) ?? 0 >= 1)
    }
}
