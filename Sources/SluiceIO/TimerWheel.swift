/// Timers by the thousand: scheduling, cancelling and firing cost the same however many there are. For one thread.
///
/// Time is written in digits of base 64, and there is one ring of 64 slots for each digit. A timer lies in the ring of
/// the highest digit in which its deadline differs from the wheel's time, so in every ring only slots ahead of the time
/// are taken; there is no wrap-around within a ring. When time reaches a slot of a higher ring, its timers move to lower
/// ones, at most ten times in the life of a timer. 11 digits hold every 64-bit time.
///
/// A class, since timers are scheduled and cancelled while others fire.
@safe package final class TimerWheel {
    /// Names one timer. Once it fired or was cancelled the name is stale, and cancelling it does nothing.
    package struct ID: Hashable, Sendable {
        fileprivate let index: UInt32
        fileprivate let generation: UInt32

        /// No timer.
        package static let none = ID(index: .max, generation: 0)
    }

    /// 32 bytes. Timers are links of circular lists, by index; `previous` of the first is the last.
    private struct Timer {
        var deadline: UInt64 = 0
        var token: UInt64 = 0
        var next: UInt32 = 0
        var previous: UInt32 = 0
        var generation: UInt32 = 0
        var list = TimerWheel.free
    }

    private static let digitBits: UInt64 = 6
    private static let slots = 64
    private static let levels = 11
    /// Already over when it was scheduled: fires with the next advance.
    private static let due = UInt16(slots * levels)
    /// Taken out by the advance that runs; still cancellable.
    private static let firing = due + 1
    private static let free = due + 2
    private static let nothing = UInt32.max

    private var timers: UnsafeMutablePointer<Timer>
    private var capacity: Int
    private var firstFree = nothing
    private let heads: UnsafeMutablePointer<UInt32>
    /// One bit for each slot with timers, by level; and one for each level with such slots.
    private let occupied: UnsafeMutablePointer<UInt64>
    private var occupiedLevels: UInt16 = 0
    private var now: UInt64

    /// How many timers are scheduled.
    package private(set) var count = 0

    /// Makes an empty wheel that begins at a time. Time is in milliseconds of any clock that does not go back.
    package init(nowMilliseconds: UInt64) {
        now = nowMilliseconds
        capacity = 64
        unsafe timers = .allocate(capacity: capacity)
        unsafe heads = .allocate(capacity: Int(Self.free))
        unsafe heads.initialize(repeating: Self.nothing, count: Int(Self.free))
        unsafe occupied = .allocate(capacity: Self.levels)
        unsafe occupied.initialize(repeating: 0, count: Self.levels)
        addFree(from: 0)
    }

    deinit {
        unsafe timers.deallocate()
        unsafe heads.deallocate()
        unsafe occupied.deallocate()
    }

    /// Makes a timer that fires, once, in the first `advance` to its time or later. One whose time is over fires in the
    /// next advance, never in the one that runs, so that a timer which schedules itself anew cannot hold the loop.
    @discardableResult
    package func schedule(atMilliseconds deadline: UInt64, token: UInt64) -> ID {
        if firstFree == Self.nothing { grow() }
        let index = firstFree
        let timer = unsafe timers + Int(index)
        unsafe firstFree = timer.pointee.next
        unsafe timer.pointee.deadline = deadline
        unsafe timer.pointee.token = token
        count += 1
        append(index, to: deadline <= now ? Self.due : slot(of: deadline))
        return unsafe ID(index: index, generation: timer.pointee.generation)
    }

    /// Forgets a timer. A stale name, or `.none`, is harmless.
    package func cancel(_ id: ID) {
        guard isScheduled(id) else { return }
        unlink(id.index)
        release(id.index)
    }

    /// Whether a timer has neither fired nor been cancelled.
    package func isScheduled(_ id: ID) -> Bool {
        guard Int(id.index) < capacity else { return false }
        let timer = unsafe timers + Int(id.index)
        return unsafe timer.pointee.generation == id.generation && timer.pointee.list != Self.free
    }

    /// No timer fires before this time; nil without timers. A lower bound: an advance to it may fire nothing and
    /// only bring timers nearer.
    package var nextDeadlineMilliseconds: UInt64? {
        if unsafe heads[Int(Self.due)] != Self.nothing { return now }
        return nextSlot()?.time
    }

    /// Moves the time on and calls `fire` with the token of each timer that is due, in the order of their times.
    /// `fire` may schedule and cancel any timer. A time before the wheel's own fires only what was over already.
    package func advance(toMilliseconds target: UInt64, _ fire: (UInt64) -> Void) {
        takeOut(Self.due)
        fireTaken(fire)
        while let (list, time) = nextSlot(), time <= target {
            now = time
            takeOut(list)
            fireTaken(fire)
        }
        now = max(now, target)
    }

    // MARK: Slots

    private func slot(of deadline: UInt64) -> UInt16 {
        let highest = 63 - UInt64((deadline ^ now | 63).leadingZeroBitCount)
        let level = highest / Self.digitBits
        return UInt16(level * 64 + (deadline >> (level * Self.digitBits)) & 63)
    }

    /// The slot whose time comes first: lower rings lie before the next slot of the higher.
    private func nextSlot() -> (list: UInt16, time: UInt64)? {
        guard occupiedLevels != 0 else { return nil }
        let level = UInt64(occupiedLevels.trailingZeroBitCount)
        let slot = unsafe UInt64(occupied[Int(level)].trailingZeroBitCount)
        let shift = level * Self.digitBits
        // Swift's shifts give 0 when all is shifted out, as in the highest ring.
        let above = now & ~((1 << (shift + Self.digitBits)) &- 1)
        return (UInt16(level * 64 + slot), above | slot << shift)
    }

    /// Moves what is due of a list to the firing list, and the rest to lower rings.
    private func takeOut(_ list: UInt16) {
        let first = unsafe heads[Int(list)]
        guard first != Self.nothing else { return }
        unsafe heads[Int(list)] = Self.nothing
        clearBit(list)
        // The last one is known before links change.
        let last = unsafe timers[Int(first)].previous
        var index = first
        while true {
            let next = unsafe timers[Int(index)].next
            let deadline = unsafe timers[Int(index)].deadline
            append(index, to: deadline <= now ? Self.firing : slot(of: deadline))
            if index == last { break }
            index = next
        }
    }

    private func fireTaken(_ fire: (UInt64) -> Void) {
        while true {
            let index = unsafe heads[Int(Self.firing)]
            if index == Self.nothing { return }
            let token = unsafe timers[Int(index)].token
            // Gone before it is called, so that its own name is stale within the call.
            unlink(index)
            release(index)
            fire(token)
        }
    }

    // MARK: Lists

    private func append(_ index: UInt32, to list: UInt16) {
        let timer = unsafe timers + Int(index)
        unsafe timer.pointee.list = list
        let first = unsafe heads[Int(list)]
        if first == Self.nothing {
            unsafe timer.pointee.next = index
            unsafe timer.pointee.previous = index
            unsafe heads[Int(list)] = index
            if list < Self.due {
                unsafe occupied[Int(list >> 6)] |= 1 << UInt64(list & 63)
                occupiedLevels |= 1 << (list >> 6)
            }
            return
        }
        let last = unsafe timers[Int(first)].previous
        unsafe timer.pointee.next = first
        unsafe timer.pointee.previous = last
        unsafe timers[Int(last)].next = index
        unsafe timers[Int(first)].previous = index
    }

    private func unlink(_ index: UInt32) {
        let timer = unsafe timers[Int(index)]
        if timer.next == index {
            unsafe heads[Int(timer.list)] = Self.nothing
            clearBit(timer.list)
            return
        }
        unsafe timers[Int(timer.previous)].next = timer.next
        unsafe timers[Int(timer.next)].previous = timer.previous
        if unsafe heads[Int(timer.list)] == index { unsafe heads[Int(timer.list)] = timer.next }
    }

    private func clearBit(_ list: UInt16) {
        guard list < Self.due else { return }
        let level = Int(list >> 6)
        unsafe occupied[level] &= ~(1 << UInt64(list & 63))
        if unsafe occupied[level] == 0 { occupiedLevels &= ~(1 << (list >> 6)) }
    }

    private func release(_ index: UInt32) {
        let timer = unsafe timers + Int(index)
        unsafe timer.pointee.generation &+= 1
        unsafe timer.pointee.list = Self.free
        unsafe timer.pointee.next = firstFree
        firstFree = index
        count -= 1
    }

    private func grow() {
        let larger = UnsafeMutablePointer<Timer>.allocate(capacity: capacity * 2)
        unsafe larger.moveInitialize(from: timers, count: capacity)
        unsafe timers.deallocate()
        unsafe timers = larger
        let first = capacity
        capacity *= 2
        addFree(from: first)
    }

    private func addFree(from first: Int) {
        for index in stride(from: capacity - 1, through: first, by: -1) {
            unsafe (timers + index).initialize(to: Timer())
            unsafe timers[index].next = firstFree
            firstFree = UInt32(truncatingIfNeeded: index)
        }
    }
}
