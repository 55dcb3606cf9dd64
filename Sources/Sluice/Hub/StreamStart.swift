internal import SluiceHTTP
internal import SluiceIO
internal import SluiceSSE
internal import Synchronization

/// How a stream begins: where its cursor stands, what it is told first.
extension HubShard {
    /// Where a stream starts.
    struct Start {
        var cursor: UInt64
        var isLive: Bool
        /// What was asked for and cannot be had.
        var gapAfter: [UInt8]?
    }

    /// Starts the stream of a subscription whose topic is joined.
    func begin(_ subscriber: Place<Subscriber>) {
        guard subscriber.value.state == .waiting, let opening = subscriber.value.opening else { return }
        let audience = unsafe subscriber.value.audience.takeUnretainedValue()
        let topic = audience.topic
        let start = start(topic, opening.lastEventID, target: audience.target)
        let shown = start.isLive ? max(start.cursor, position) : start.cursor
        let id = positionID(topic, shown)
        if let id { opening.head.fields.append(.lastEventID, id) }

        var body: [UInt8] = []
        let retry = topic.options.retry.milliseconds
        if retry > 0 {
            EventEncoder.appendRetry(milliseconds: retry.spread(by: topic.options.retryJitter), to: &body)
        }
        EventEncoder.appendComment("", to: &body)
        if topic.options.openingID, let id {
            body.append(contentsOf: Array("id: ".utf8) + id + [0x0A, 0x0A])
        }
        if let asked = start.gapAfter { appendGap(topic, asked: asked, before: shown, to: &body) }

        let connection = subscriber.value.connection
        connection.value.begin(opening.head, body: connection.value.framed(body), context)
        subscriber.value.opening = nil
        subscriber.value.lastSent = context.now
        subscriber.value.joinOffset = topic.log.withLock { $0.endOffset }
        subscriber.value.cursor = start.cursor
        // A stream that was blocked by its own opening bytes reads on when they have left.
        let isBlocked = connection.value.transport.isBlocked
        subscriber.value.state = start.isLive && !isBlocked ? .live : .lagging
        if subscriber.value.state == .lagging, !isBlocked { resumeLater(subscriber) }
    }

    private func start(_ topic: Topic, _ lastEventID: [UInt8]?, target: UInt64) -> Start {
        guard let lastEventID, !lastEventID.isEmpty, topic.options.ids != .off else {
            return Start(cursor: target, isLive: true)
        }
        context.counters.resumed &+= 1
        let now = hub.clock.nowMilliseconds()
        var evicted: [EncodedEvent] = []
        let (known, oldest) = topic.log.withLock { log -> (UInt64?, UInt64) in
            log.trim(milliseconds: now, evicted: &evicted)
            let known =
                topic.options.ids == .gateway
                ? hub.sequence(ofID: lastEventID) : log.sequence(ofOwnID: lastEventID)
            return (known, log.beforeOldest)
        }
        // A cursor above the head is unknown: nobody gave it out. One above what this worker has heard of is fine: another
        // worker gave it out, and what lies between is not sent again.
        if let known, known >= oldest, known <= hub.position {
            return Start(cursor: known, isLive: known >= target)
        }
        context.counters.gaps &+= 1
        let cursor = topic.options.onGap == .live ? target : min(oldest, target)
        return Start(cursor: cursor, isLive: cursor >= target, gapAfter: lastEventID)
    }

    /// The id that stands for a position: what a client would send to go on from there.
    private func positionID(_ topic: Topic, _ cursor: UInt64) -> [UInt8]? {
        switch topic.options.ids.kind {
        case .gateway: return hub.id(of: cursor)
        case .upstream: return topic.log.withLock { $0.ownID(at: cursor) }
        case .off: return nil
        }
    }

    private func appendGap(_ topic: Topic, asked: [UInt8], before cursor: UInt64, to body: inout [UInt8]) {
        guard let name = topic.options.gapEvent else { return }
        let oldest = positionID(topic, topic.log.withLock { $0.beforeOldest })
        var data = Array("{\"requested\":".utf8)
        JSONText.append(asked, to: &data)
        data.append(contentsOf: Array(",\"oldest\":".utf8))
        if let oldest { JSONText.append(oldest, to: &data) } else { data.append(contentsOf: Array("null".utf8)) }
        data.append(0x7D)
        let type = Array(name.utf8)
        unsafe data.withUnsafeBytes { data in
            unsafe type.withUnsafeBytes { type in
                unsafe EventEncoder.appendFields(data: data, event: type, to: &body)
            }
        }
        if let id = positionID(topic, cursor) { body.append(contentsOf: Array("id: ".utf8) + id + [0x0A]) }
        body.append(0x0A)
    }
}
