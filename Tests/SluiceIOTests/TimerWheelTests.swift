import SluiceIO
import Testing

struct TimerWheelTests {
    private func fired(_ wheel: TimerWheel, to time: UInt64) -> [UInt64] {
        var tokens: [UInt64] = []
        wheel.advance(toMilliseconds: time) { tokens.append($0) }
        return tokens
    }

    @Test(arguments: [0, 1, 63, 64, 65, 4095, 4096, 262_143, 262_144, 1 << 36, 1 << 60, .max - 1, .max] as [UInt64])
    func `a timer fires at its time and not one millisecond before`(_ delay: UInt64) {
        for start in [0, 1, 63, 64, 4095, 1_000_003] as [UInt64] where delay > 0 {
            let (deadline, overflow) = start.addingReportingOverflow(delay)
            if overflow { continue }
            let wheel = TimerWheel(nowMilliseconds: start)
            wheel.schedule(atMilliseconds: deadline, token: 7)
            #expect(fired(wheel, to: deadline - 1).isEmpty)
            #expect(fired(wheel, to: deadline) == [7])
            #expect(wheel.count == 0 && wheel.nextDeadlineMilliseconds == nil)
        }
    }

    @Test func `time may run on to the last number there is`() {
        let wheel = TimerWheel(nowMilliseconds: .max - 200)
        for token in 0...200 as ClosedRange<UInt64> { wheel.schedule(atMilliseconds: .max - 200 + token, token: token) }
        #expect(fired(wheel, to: .max - 100) == Array(0...100))
        #expect(fired(wheel, to: .max) == Array(101...200))
    }

    @Test func `each ring wraps around without losing a timer`() {
        let wheel = TimerWheel(nowMilliseconds: 0)
        var deadlines: [UInt64] = []
        var count = 0
        // 300 turns of the first ring, more than four of the second, each from another place.
        for time in stride(from: 0, to: 300 * 61, by: 61) as StrideTo<UInt64> {
            wheel.advance(toMilliseconds: time) { token in
                count += 1
                let deadline = deadlines[Int(token)]
                #expect(deadline <= time && deadline + 61 > time)
            }
            for delay in [1, 63, 64, 65, 4095, 4096, 4097] as [UInt64] {
                wheel.schedule(atMilliseconds: time + delay, token: UInt64(deadlines.count))
                deadlines.append(time + delay)
            }
        }
        count += fired(wheel, to: 400 * 61).count
        #expect(count == deadlines.count && wheel.count == 0)
    }

    @Test func `a long step fires everything in the order of the deadlines`() {
        let wheel = TimerWheel(nowMilliseconds: 5)
        let deadlines: [UInt64] = [1_000_000, 6, 70, 64, 63, 4096, 5000, 128, 262_144, 100, 1 << 30]
        for deadline in deadlines { wheel.schedule(atMilliseconds: deadline, token: deadline) }
        #expect(fired(wheel, to: 1 << 31) == deadlines.sorted())
    }

    @Test func `a cancelled timer does not fire, and its name is stale`() {
        let wheel = TimerWheel(nowMilliseconds: 0)
        let first = wheel.schedule(atMilliseconds: 10, token: 1)
        let second = wheel.schedule(atMilliseconds: 10, token: 2)
        let third = wheel.schedule(atMilliseconds: 10, token: 3)
        wheel.cancel(second)
        #expect(!wheel.isScheduled(second) && wheel.isScheduled(first))
        let fourth = wheel.schedule(atMilliseconds: 10, token: 4)
        wheel.cancel(second)
        wheel.cancel(.none)
        #expect(wheel.isScheduled(fourth))
        wheel.cancel(first)
        #expect(fired(wheel, to: 10) == [3, 4])
        wheel.cancel(third)
        #expect(wheel.count == 0)
    }

    @Test func `a timer whose time is over fires with the next advance`() {
        let wheel = TimerWheel(nowMilliseconds: 100)
        wheel.schedule(atMilliseconds: 50, token: 1)
        let cancelled = wheel.schedule(atMilliseconds: 100, token: 2)
        #expect(wheel.nextDeadlineMilliseconds == 100)
        wheel.cancel(cancelled)
        #expect(fired(wheel, to: 100) == [1])
        wheel.schedule(atMilliseconds: 0, token: 3)
        // A clock that went back does no harm.
        #expect(fired(wheel, to: 3) == [3])
    }

    @Test func `a timer can cancel another of its own moment, and itself without harm`() {
        let wheel = TimerWheel(nowMilliseconds: 0)
        var names: [UInt64: TimerWheel.ID] = [:]
        for token in 1...4 as ClosedRange<UInt64> { names[token] = wheel.schedule(atMilliseconds: 100, token: token) }
        names[5] = wheel.schedule(atMilliseconds: 120, token: 5)
        var tokens: [UInt64] = []
        wheel.advance(toMilliseconds: 200) { token in
            tokens.append(token)
            for other in [token, 2, 3, 5] { wheel.cancel(names[other] ?? .none) }
        }
        #expect(tokens == [1, 4])
        #expect(wheel.count == 0)
    }

    @Test func `a timer can schedule itself anew within the step, but not hold it`() {
        let wheel = TimerWheel(nowMilliseconds: 0)
        wheel.schedule(atMilliseconds: 10, token: 0)
        var times: [UInt64] = []
        var next: UInt64 = 10
        wheel.advance(toMilliseconds: 35) { _ in
            times.append(next)
            next += 10
            wheel.schedule(atMilliseconds: next, token: 0)
        }
        #expect(times == [10, 20, 30])
        #expect(wheel.nextDeadlineMilliseconds == 40)

        let busy = TimerWheel(nowMilliseconds: 0)
        busy.schedule(atMilliseconds: 10, token: 0)
        var count = 0
        busy.advance(toMilliseconds: 10) { _ in
            count += 1
            busy.schedule(atMilliseconds: 10, token: 0)
        }
        #expect(count == 1)
        #expect(busy.nextDeadlineMilliseconds == 10)
    }

    @Test func `many timers made while one fires are kept`() {
        let wheel = TimerWheel(nowMilliseconds: 0)
        wheel.schedule(atMilliseconds: 1, token: 0)
        wheel.advance(toMilliseconds: 1) { _ in
            for token in 1...1000 as ClosedRange<UInt64> { wheel.schedule(atMilliseconds: 1 + token, token: token) }
        }
        #expect(fired(wheel, to: 2000) == Array(1...1000))
    }

    @Test func `the next deadline is never after the first timer, and following it reaches every timer`() {
        var random = Seeded(state: 7)
        let wheel = TimerWheel(nowMilliseconds: 1000)
        var deadlines: [UInt64] = []
        for token in 0..<500 as Range<UInt64> {
            let deadline = 1001 + random.next() % (1 << (random.next() % 40))
            deadlines.append(deadline)
            wheel.schedule(atMilliseconds: deadline, token: token)
        }
        var steps = 0
        var count = 0
        while let next = wheel.nextDeadlineMilliseconds {
            wheel.advance(toMilliseconds: next) { token in
                count += 1
                #expect(deadlines[Int(token)] == next)
            }
            steps += 1
        }
        #expect(count == 500)
        #expect(steps <= 500 * 11)
    }

    @Test func `the wheel does what a sorted list does`() {
        var random = Seeded(state: 42)
        let wheel = TimerWheel(nowMilliseconds: 0)
        var now: UInt64 = 0
        var model: [UInt64: (deadline: UInt64, id: TimerWheel.ID)] = [:]
        var nextToken: UInt64 = 0
        for _ in 0..<5_000 {
            switch random.next() % 8 {
            case 0...3:
                let deadline = now + random.next() % (1 << (random.next() % 22))
                model[nextToken] = (deadline, wheel.schedule(atMilliseconds: deadline, token: nextToken))
                nextToken += 1
            case 4, 5:
                let token = nextToken == 0 ? 0 : random.next() % nextToken
                if let timer = model.removeValue(forKey: token) { wheel.cancel(timer.id) }
            default:
                now += random.next() % (1 << (random.next() % 18))
                let expected = model.filter { $0.value.deadline <= now }.keys.sorted()
                #expect(fired(wheel, to: now).sorted() == expected)
                for token in expected { model[token] = nil }
            }
            #expect(wheel.count == model.count)
            if let first = model.values.map(\.deadline).min() {
                #expect((wheel.nextDeadlineMilliseconds ?? .max) <= max(first, now))
            }
        }
    }
}

/// The same numbers in every run (SplitMix64).
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
