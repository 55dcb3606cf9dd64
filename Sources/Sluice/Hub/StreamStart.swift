internal import SluiceHTTP
internal import SluiceIO
internal import SluiceSSE
internal import Synchronization

/// How a stream begins: where its cursor stands, what it is told first.
extension HubShard {
    /// Where a stream starts.
    private struct Start {
        var cursor: UInt64
        /// For each topic, what the stream does without up to there.
        var floors: [UInt64]?
        /// What was asked for and cannot be had, and the oldest position from which anything is held.
        var gap: (asked: [UInt8], oldest: UInt64)?

        init(live target: UInt64) { cursor = target }

        /// From each topic's own floor on. What lies between the target and a higher cursor is not sent.
        init(floors: [UInt64], target: UInt64) {
            let lowest = floors.min() ?? target
            cursor = lowest
            self.floors = floors.contains { $0 > lowest } ? floors : nil
        }
    }

    /// Starts the stream of a subscription whose topics are joined.
    func begin(_ subscriber: Place<Subscriber>) {
        guard subscriber.value.state == .waiting, let opening = subscriber.value.opening else { return }
        let audience = unsafe subscriber.value.audience.takeUnretainedValue()
        let options = audience.options.first
        let start = start(audience, opening.lastEventID)
        let isLive = start.cursor >= audience.target
        let shown = isLive ? max(start.cursor, position) : start.cursor
        let id = positionID(audience, shown)
        if let id { opening.head.fields.append(.lastEventID, id) }

        var body: [UInt8] = []
        let retry = options.retry.milliseconds
        if retry > 0 { EventEncoder.appendRetry(milliseconds: retry.spread(by: options.retryJitter), to: &body) }
        EventEncoder.appendComment("", to: &body)
        if options.openingID, let id { body.append(contentsOf: Array("id: ".utf8) + id + [0x0A, 0x0A]) }
        if let gap = start.gap { appendGap(audience, asked: gap.asked, oldest: gap.oldest, before: shown, to: &body) }

        body = codedOpening(body, for: subscriber)
        let stream = subscriber.value.stream
        stream.value.begin(opening.head, body: stream.value.framed(body), context)
        // Where the stream begins is what the client brought, if that is known.
        if opening.hidesCursor {
            stream.value.logOpen(context)
        } else {
            stream.value.logOpen(cursor: id, lastEventID: opening.lastEventID, context)
        }
        subscriber.value.opening = nil
        subscriber.value.lastSent = context.now
        subscriber.value.joinSequence = audience.target
        subscriber.value.cursor = start.cursor
        subscriber.value.floors = start.floors
        // A stream that was blocked by its own opening bytes reads on when they have left.
        let isBlocked = isStuck(subscriber)
        subscriber.value.state = isLive && !isBlocked ? .live : .lagging
        if subscriber.value.state == .lagging, !isBlocked { resumeLater(subscriber) }
    }

    private func start(_ audience: Audience, _ lastEventID: [UInt8]?) -> Start {
        let options = audience.options.first
        let target = audience.target
        let hasCursor = lastEventID?.isEmpty == false && options.ids != .off
        if !hasCursor, options.replay == .none { return Start(live: target) }
        let now = hub.clock.nowMilliseconds()
        var evicted: [EncodedEvent] = []
        let oldest = audience.topics.map { topic in
            topic.log.withLock { log in
                log.trim(milliseconds: now, evicted: &evicted)
                return log.historyEndedThrough
            }
        }
        guard let lastEventID, hasCursor else { return replay(audience, options.replay, oldest) }

        context.counters.resumed &+= 1
        // A cursor above the head is unknown: nobody gave it out. One above what this worker has heard of is fine: another
        // worker gave it out, and what lies between is not sent again.
        let known = sequence(of: lastEventID, audience).flatMap { $0 <= hub.position ? $0 : nil }
        if let known, oldest.allSatisfy({ $0 <= known }) { return Start(live: known) }
        context.counters.gaps &+= 1
        // Of a topic that lost nothing behind the cursor nothing is sent twice.
        let floors = oldest.map { max($0, known ?? 0) }
        // Another worker may have given out a position that this one has not heard of yet.
        let head = max(target, known ?? 0)
        var start = options.onGap == .live ? Start(live: head) : Start(floors: floors, target: target)
        start.gap = (lastEventID, floors.min() ?? target)
        return start
    }

    /// What a client gets first that brings no cursor.
    private func replay(_ audience: Audience, _ replay: Replay, _ oldest: [UInt64]) -> Start {
        let target = audience.target
        switch replay.kind {
        case .none: return Start(live: target)
        case .all: return Start(floors: oldest, target: target)
        case .newest(let limit):
            var newest = Set<UInt64>()
            for topic in audience.topics { topic.log.withLock { newest.formUnion($0.newest(limit)) } }
            guard let first = newest.sorted().suffix(max(0, limit)).first else { return Start(live: target) }
            return Start(floors: oldest.map { max($0, first - 1) }, target: target)
        }
    }

    /// The position that a client's cursor names.
    private func sequence(of id: [UInt8], _ audience: Audience) -> UInt64? {
        switch audience.options.first.ids.kind {
        case .gateway: hub.sequence(ofID: id)
        case .upstream: audience.topics.first?.log.withLock { $0.sequence(ofOwnID: id) }
        case .off: nil
        }
    }

    /// The id that stands for a position: what a client would send to go on from there.
    func positionID(_ audience: Audience, _ cursor: UInt64) -> [UInt8]? {
        switch audience.options.first.ids.kind {
        case .gateway: hub.id(of: cursor)
        case .upstream: audience.topics.first?.log.withLock { $0.ownID(at: cursor) }
        case .off: nil
        }
    }

    /// Tells a subscriber what it cannot get.
    func appendGap(
        _ audience: Audience, asked: [UInt8], oldest: UInt64, before cursor: UInt64, to body: inout [UInt8]
    ) {
        guard let name = audience.options.first.gapEvent else { return }
        var data = Array("{\"requested\":".utf8)
        JSONText.append(asked, to: &data)
        data.append(contentsOf: Array(",\"oldest\":".utf8))
        if let oldest = positionID(audience, oldest) {
            JSONText.append(oldest, to: &data)
        } else {
            data.append(contentsOf: Array("null".utf8))
        }
        data.append(0x7D)
        let type = Array(name.utf8)
        unsafe data.withUnsafeBytes { data in
            unsafe type.withUnsafeBytes { type in
                unsafe EventEncoder.appendFields(data: data, event: type, to: &body)
            }
        }
        if let id = positionID(audience, cursor) { body.append(contentsOf: Array("id: ".utf8) + id + [0x0A]) }
        body.append(0x0A)
    }
}
