internal import Logging
internal import SluiceHTTP
internal import SluiceIO
internal import SluiceSSE

/// Subscribing and publishing.
extension Worker {
    // MARK: Subscribe

    func subscribe(_ connection: ConnectionPointer, _ exchange: Exchange, _ target: Plan.Target) {
        let head = exchange.head
        let accept = head.fields.all(.accept)
        guard AcceptHeader.allows(accept, "text/event-stream") else {
            return respond(
                connection, exchange, status: 406, text: "this is an event stream; Accept must allow text/event-stream")
        }
        let names: [String]
        switch TopicChoice(target, exchange, hub) {
        case .names(let chosen): names = chosen
        case .refused(let status, let reason): return respond(connection, exchange, status: status, text: reason)
        }
        var fields = FieldBlock()
        fields.append(.contentType, "text/event-stream")
        fields.append(.cacheControl, "no-store, no-transform")
        fields.append(.xAccelBuffering, "no")
        let isCompressed = negotiateCompression(exchange, names, &fields)
        guard head.method != .head else {
            return respondToHead(connection, exchange, status: 200, fields: fields)
        }
        // A body, if the route takes POST, is read and thrown away first.
        guard exchange.bodyEnded else { return askForBody(connection, exchange) }
        // The streams were ended already; one that began now would hold the stop up until its grace is over.
        guard !isDraining else {
            return refuseForLoad(connection, exchange, status: 503, reason: "the gateway is about to stop")
        }
        do {
            var topics: [Topic] = []
            for name in names { topics.append(try hub.topic(named: name)) }
            var response = ResponseHead(status: 200, fields: fields)
            finish(&response, exchange)
            response.version = head.version
            response.body = head.version == .http10 ? .untilClose : .chunked
            response.keepAlive = head.version != .http10
            let opening = Opening(
                head: response, lastEventID: Cursor.lastEventID(of: head), isCompressed: isCompressed)
            exchange.wasAnswered = true
            startStreaming(connection)
            try shard.subscribe(connection, to: topics, opening: opening)
            armHeartbeat(connection)
        } catch {
            exchange.wasAnswered = false
            connection.value.phase = .exchange
            connection.value.exchange = exchange
            refuseTopic(connection, exchange, error)
        }
    }

    /// A stream is compressed where all its topics want it and its client accepts it.
    private func negotiateCompression(_ exchange: Exchange, _ names: [String], _ fields: inout FieldBlock) -> Bool {
        guard names.allSatisfy({ hub.options(ofTopic: $0)?.compression ?? false }), shard.canCompress else {
            return false
        }
        if !exchange.commonFields.hasToken(.vary, "Accept-Encoding") {
            let others = exchange.commonFields.string(.vary).map { "\($0), " } ?? ""
            exchange.commonFields.set(.vary, others + "Accept-Encoding")
        }
        guard AcceptEncoding.allowsGzip(exchange.head.fields.all(.acceptEncoding)) else { return false }
        fields.append(.contentEncoding, "gzip")
        return true
    }

    func refuseTopic(_ connection: ConnectionPointer, _ exchange: Exchange, _ error: SluiceError) {
        if connection.value.parser == nil { connection.value.closesAfterResponse = true }
        if error.kind == .unknownTopic {
            respond(connection, exchange, status: 404, text: "no topic has this name")
        } else {
            refuseForLoad(connection, exchange, status: 503, reason: error.message)
        }
    }

    /// A stream keeps nothing of what its request needed.
    private func startStreaming(_ connection: ConnectionPointer) {
        connection.value.phase = .streaming
        connection.value.exchange = nil
        connection.value.parser = nil
        connection.value.held = ByteQueue()
        connection.value.deadline = 0
    }

    private func armHeartbeat(_ connection: ConnectionPointer) {
        guard let subscriber = connection.value.subscriber, let next = shard.firstHeartbeat(subscriber) else {
            // Without heartbeats the timer still looks for peers that take nothing.
            return arm(connection, context.now &+ plan.limits.writeTimeout.milliseconds)
        }
        arm(connection, next)
    }

    /// Sees to the streams that the flush left over: blocked, broken, too slow, ended.
    func settleStreams() {
        for token in shard.blocked {
            guard let connection = connections.find(token) else { continue }
            arm(connection, context.now &+ plan.limits.writeTimeout.milliseconds)
        }
        shard.blocked.removeAll(keepingCapacity: true)
        for token in shard.broken { connections.find(token).map(doom) }
        shard.broken.removeAll(keepingCapacity: true)
        for slow in shard.slow {
            let peer = connections.find(slow.connection).map { "\($0.value.peer)" } ?? ""
            let level: Logger.Level = slow.policy == .disconnect ? .notice : .debug
            logger.log(
                level: level, "slow subscriber",
                metadata: ["topic": "\(slow.topic)", "peer": "\(peer)", "overflow": "\(slow.policy)"])
        }
        shard.slow.removeAll(keepingCapacity: true)
        guard !shard.ended.isEmpty else { return }
        let ended = shard.ended
        shard.ended = []
        for stream in ended {
            guard let connection = connections.find(stream.connection),
                connection.value.subscriber == stream.subscriber
            else { continue }
            shard.unsubscribe(stream.subscriber)
            connection.value.writePrivate(stream.trailer, context)
            finishStream(connection, isAborted: stream.isAborted)
        }
    }

    func finishStream(_ connection: ConnectionPointer, isAborted: Bool = false) {
        connection.value.closesAfterResponse = true
        connection.value.phase = .exchange
        if isAborted { connection.value.abortBody() } else { connection.value.endBody(context) }
        finishIfWritten(connection)
    }
}
