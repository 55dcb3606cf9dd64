internal import Synchronization

/// What becomes of subscribers that fall too far behind.
extension HubShard {
    /// Looks for subscribers that have fallen too far behind. Once a second: a socket that takes nothing never says so.
    func sweep() {
        subscribers.forEach { _, subscriber in
            // The other policies act when the socket takes bytes again. One that waits for its turn is not slow: we are.
            guard subscriber.value.state == .lagging, !subscriber.value.isResuming else { return }
            let audience = unsafe subscriber.value.audience.takeUnretainedValue()
            if audience.options.first.overflow == .disconnect, lagsTooFar(subscriber) { overflow(subscriber) }
        }
    }

    /// Whether the next event of a topic is gone, or more than `maxLag` of it was published behind the cursor. Only what
    /// came after the stream began counts for that, so a replay is never too long.
    func lagsTooFar(_ subscriber: Place<Subscriber>) -> Bool {
        let audience = unsafe subscriber.value.audience.takeUnretainedValue()
        let cursor = subscriber.value.unfinished?.sequence ?? subscriber.value.cursor
        let counted = max(cursor, subscriber.value.joinSequence)
        for (number, topic) in audience.topics.enumerated() {
            let floor = max(cursor, subscriber.value.floors?[number] ?? 0)
            let isOver = topic.log.withLock { log in
                log.evictedThrough > floor
                    || log.lag(after: max(counted, floor)) > UInt64(max(0, topic.options.maxLag))
            }
            if isOver { return true }
        }
        return false
    }

    /// A subscriber is too far behind. Nothing of an event is left unwritten here, except with `disconnect`.
    func overflow(_ subscriber: Place<Subscriber>) {
        let audience = unsafe subscriber.value.audience.takeUnretainedValue()
        let policy = audience.options.first.overflow.kind
        slow.append(
            Slow(
                stream: subscriber.value.stream.value.token, topic: audience.topics.first?.name ?? "",
                policy: policy))
        switch policy {
        case .disconnect:
            context.counters.endedOverflow &+= 1
            end(subscriber, .slow)
        case .skip:
            context.counters.skipped &+= 1
            subscriber.value.state = .lagging
            skip(subscriber, audience)
            if !isStuck(subscriber) { resumeLater(subscriber) }
        case .latest:
            context.counters.conflated &+= 1
            subscriber.value.state = .lagging
            subscriber.value.isConflating = true
            resumeLater(subscriber)
        }
    }

    /// Goes on with what is held, and says so.
    private func skip(_ subscriber: Place<Subscriber>, _ audience: Audience) {
        let asked = positionID(audience, subscriber.value.cursor) ?? []
        let cursor = subscriber.value.cursor
        var floors: [UInt64] = []
        var next: UInt64?
        for topic in audience.topics {
            topic.log.withLock { log in
                let floor = log.skipPoint(after: cursor)
                floors.append(floor)
                if let first = log.firstSequence(after: floor) { next = min(next ?? first, first) }
            }
        }
        let position = min(max(cursor, next.map { $0 - 1 } ?? audience.target), audience.target)
        subscriber.value.cursor = position
        subscriber.value.floors = floors.contains { $0 > position } ? floors : nil
        var gap: [UInt8] = []
        appendGap(audience, asked: asked, oldest: position, before: position, to: &gap)
        subscriber.value.stream.value.writePrivate(coded(gap, for: subscriber), context)
        subscriber.value.lastSent = context.now
    }
}
