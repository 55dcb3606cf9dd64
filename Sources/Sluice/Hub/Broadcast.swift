/// From the hub's mail to the sockets: those that are live first, those that lag as their sockets allow.
extension HubShard {
    /// Writes what is new to those it is for, a slice of it at a time.
    /// - Returns: whether there is more to write.
    func flush() -> Bool {
        guard !next.isEmpty || !dirty.isEmpty || !resuming.isEmpty else {
            // A stream that began may have had one.
            clearRuns()
            return false
        }
        var slice = Slice()
        while !slice.isUsedUp, let audience = nextDirty() {
            guard !audience.isRemoved else { continue }
            broadcast(audience, &slice)
            if audience.remaining > 0 || audience.endRound() {
                // Behind the others: where events come faster than a round ends, it would keep them waiting for ever.
                dirty.append(audience)
            } else {
                audience.isDirty = false
            }
        }
        context.counters.deliveries &+= slice.writes
        continueResuming(slice)
        clearRuns()
        return !next.isEmpty || !dirty.isEmpty || !resuming.isEmpty
    }

    private func clearRuns() {
        run.clear()
        blockRun.clear()
        windowRun.clear()
    }

    /// Whether streams wait for their next turn, or for the worker to see to them.
    var hasMore: Bool { !resuming.isEmpty || !blocked.isEmpty || !broken.isEmpty || !ended.isEmpty }

    private func nextDirty() -> Audience? {
        if next.isEmpty {
            swap(&next, &dirty)
            next.reverse()
        }
        return next.popLast()
    }

    /// One delivery, a million times a second: pointers, one comparison, one write.
    private func broadcast(_ audience: Audience, _ slice: inout Slice) {
        let target = audience.target
        unsafe audience.members.withUnsafeBufferPointer { members in
            while audience.remaining > 0, !slice.isUsedUp {
                if audience.next >= members.count { audience.next = 0 }
                let subscriber = unsafe members[audience.next]
                audience.next &+= 1
                audience.remaining &-= 1
                guard subscriber.value.state == .live, subscriber.value.cursor < target else { continue }
                slice.spend(deliver(subscriber, audience), ofSocket: subscriber.value.stream.value.number == 0)
                if subscriber.value.isCompressed { takeDownCompressing(&slice) }
            }
        }
    }

    /// Writes what is new to a subscriber that is live.
    /// - Returns: the bytes that it was.
    @discardableResult
    func deliver(_ subscriber: Place<Subscriber>, _ audience: Audience) -> Int {
        guard subscriber.value.state == .live, subscriber.value.cursor < audience.target else { return 0 }
        return unsafe run(for: subscriber)._withUnsafeGuaranteedRef { deliver($0, subscriber, audience) }
    }

    private func deliver(_ run: Run, _ subscriber: Place<Subscriber>, _ audience: Audience) -> Int {
        let target = audience.target
        guard run.gather(audience, for: subscriber, target: target) else {
            overflow(subscriber)
            return 0
        }
        let bytes = unsafe run.bytes
        let written = unsafe subscriber.value.stream.value.write(bytes, context)
        guard written == bytes.count else {
            cut(subscriber, run, after: written)
            subscriber.value.state = .lagging
            // One that takes nothing is told when it does. Anything else would be an error of the transport's.
            if !isStuck(subscriber) { resumeLater(subscriber) }
            return written
        }
        run.wasSent(to: subscriber)
        subscriber.value.cursor = run.through
        subscriber.value.lastSent = context.now
        subscriber.value.events &+= run.eventCount
        if subscriber.value.floors != nil { forgetFloors(subscriber) }
        // Under TLS all of it is sealed; the last record may not have left.
        if isStuck(subscriber), run.through < target {
            subscriber.value.state = .lagging
        } else {
            // What one run does not hold comes in the next round: it is we who are behind, and publishing waits for us.
            audience.reached(run.through)
        }
        return written
    }

    /// Whether the stream takes nothing at the moment, or never again; the worker is told.
    func isStuck(_ subscriber: Place<Subscriber>) -> Bool {
        if subscriber.value.stream.value.hasFailed {
            broken.append(subscriber.value.stream.value.token)
            return true
        }
        guard subscriber.value.stream.value.isBlocked else { return false }
        blocked.append(subscriber.value.stream.value.token)
        return true
    }

    private func cut(_ subscriber: Place<Subscriber>, _ run: Run, after written: Int) {
        let stop = run.stop(after: written)
        run.wasSent(to: subscriber, events: stop.begun)
        subscriber.value.cursor = stop.cursor
        subscriber.value.unfinished = stop.cut?.event
        subscriber.value.unfinishedOffset = stop.cut?.offset ?? 0
        subscriber.value.events &+= UInt64(stop.cut == nil ? stop.begun : stop.begun - 1)
    }

    // MARK: Lagging

    /// The connection takes bytes again: the subscriber reads on from the log until it is live, or blocked once more.
    func resume(_ token: Token) {
        guard let subscriber = subscribers.find(token), finishEvent(subscriber) else { return }
        // Looked at here and not before every read: each time the socket takes bytes, some events are written.
        let policy = unsafe subscriber.value.audience.takeUnretainedValue().options.first.overflow
        if policy != .disconnect, subscriber.value.state == .lagging, !subscriber.value.isConflating,
            lagsTooFar(subscriber)
        {
            return overflow(subscriber)
        }
        // A connection may have many streams that wait. One that has its socket for itself goes on at once: who reads all
        // that comes is not to fall behind for want of a turn, and a tick looks at few sockets.
        if subscriber.value.stream.value.number != 0 { return resumeLater(subscriber) }
        var slice = Slice()
        catchUp(subscriber, &slice)
    }

    func resumeLater(_ subscriber: Place<Subscriber>) {
        guard !subscriber.value.isResuming else { return }
        subscriber.value.isResuming = true
        resuming.append(subscriber.value.token)
    }

    /// Some have their turn in every tick, however much there is to broadcast.
    private func continueResuming(_ rest: Slice) {
        var slice = Slice(max(Slice.whole / 2, rest.left))
        var turns = 0
        // Who has more to read comes last again, and not twice in one tick.
        let most = resuming.count
        while !slice.isUsedUp, turns < most {
            let token = resuming[turns]
            turns += 1
            guard let subscriber = subscribers.find(token) else { continue }
            subscriber.value.isResuming = false
            catchUp(subscriber, &slice)
        }
        resuming.removeFirst(turns)
    }

    private func catchUp(_ subscriber: Place<Subscriber>, _ slice: inout Slice) {
        guard finishEvent(subscriber) else { return }
        if subscriber.value.state == .ending { return reportEnded(subscriber) }
        guard subscriber.value.state == .lagging else { return }
        let audience = unsafe subscriber.value.audience.takeUnretainedValue()
        var sent = 0
        while subscriber.value.cursor < audience.target {
            if sent >= HubShard.turn || slice.isUsedUp { return resumeLater(subscriber) }
            let run = unsafe run(for: subscriber).takeUnretainedValue()
            guard run.gather(audience, for: subscriber, target: audience.target) else { return overflow(subscriber) }
            let bytes = unsafe run.bytes
            let written = unsafe subscriber.value.stream.value.write(bytes, context)
            slice.spend(written, ofSocket: subscriber.value.stream.value.number == 0)
            takeDownCompressing(&slice)
            if written > 0 { subscriber.value.lastSent = context.now }
            guard written == bytes.count else {
                cut(subscriber, run, after: written)
                _ = isStuck(subscriber)
                return
            }
            run.wasSent(to: subscriber)
            subscriber.value.cursor = run.through
            subscriber.value.events &+= run.eventCount
            // Text and not bytes: what is compressed for it is work as well.
            sent += run.textCount
        }
        subscriber.value.state = .live
        subscriber.value.isConflating = false
        forgetFloors(subscriber)
        _ = isStuck(subscriber)
    }

    private func takeDownCompressing(_ slice: inout Slice) {
        slice.spend(compressing: blockRun.takeCompressed() &+ windowRun.takeCompressed())
    }

    /// Behind its floors a stream reads what the others read.
    private func forgetFloors(_ subscriber: Place<Subscriber>) {
        let cursor = subscriber.value.cursor
        if subscriber.value.floors?.allSatisfy({ $0 <= cursor }) == true { subscriber.value.floors = nil }
    }

    /// Writes the rest of an event that was cut.
    /// - Returns: whether nothing is left of it.
    private func finishEvent(_ subscriber: Place<Subscriber>) -> Bool {
        guard let event = subscriber.value.unfinished else { return true }
        let offset = subscriber.value.unfinishedOffset
        let (written, whole) = unsafe event.withBytes(subscriber.value.framing) { bytes in
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[min(offset, bytes.count)...])
            let written = unsafe subscriber.value.stream.value.write(rest, context)
            return (written, written == rest.count)
        }
        guard whole else {
            subscriber.value.unfinishedOffset = offset + written
            _ = isStuck(subscriber)
            return false
        }
        subscriber.value.cursor = event.sequence
        subscriber.value.events &+= 1
        subscriber.value.unfinished = nil
        subscriber.value.lastSent = context.now
        return true
    }
}
