internal import Logging
internal import SluiceHTTP
internal import SluiceIO
internal import SluiceSSE

/// Subscribing and publishing.
extension Worker {
    // MARK: Subscribe

    func subscribe(_ stream: StreamPointer, _ exchange: Exchange, _ target: Plan.Target) {
        let head = exchange.head
        let accept = head.fields.all(.accept)
        guard AcceptHeader.allows(accept, "text/event-stream") else {
            return respond(
                stream, exchange, status: 406, text: "this is an event stream; Accept must allow text/event-stream")
        }
        let names: [String]
        switch TopicChoice(target, exchange, hub) {
        case .names(let chosen): names = chosen
        case .refused(let status, let reason): return respond(stream, exchange, status: status, text: reason)
        }
        var fields = FieldBlock()
        fields.append(.contentType, "text/event-stream")
        fields.append(.cacheControl, "no-store, no-transform")
        fields.append(.xAccelBuffering, "no")
        let isCompressed = negotiateCompression(exchange, names, &fields)
        guard head.method != .head else {
            return respondToHead(stream, exchange, status: 200, fields: fields)
        }
        // A body, if the route takes POST, is read and thrown away first.
        guard exchange.bodyEnded else { return askForBody(stream, exchange) }
        // The streams were ended already; one that began now would hold the stop up until its grace is over.
        guard !isDraining else {
            return refuseForLoad(stream, exchange, status: 503, reason: "the gateway is about to stop")
        }
        guard takeSeat(stream, exchange) else { return }
        note(names, of: target, in: stream.value.record)
        do {
            var topics: [Topic] = []
            for name in names { topics.append(try hub.topic(named: name)) }
            var response = ResponseHead(status: 200, fields: fields)
            finish(&response, exchange)
            response.version = head.version
            response.body = head.version == .http10 ? .untilClose : .chunked
            response.keepAlive = head.version != .http10
            let opening = Opening(
                head: response, lastEventID: Cursor.lastEventID(of: head), isCompressed: isCompressed,
                hidesCursor: context.access.map { Cursor.isHidden(of: head, by: $0.mask) } ?? false)
            exchange.wasAnswered = true
            startStreaming(stream)
            try shard.subscribe(stream, to: topics, opening: opening)
            armHeartbeat(stream)
        } catch {
            exchange.wasAnswered = false
            stream.value.isStreaming = false
            stream.value.exchange = exchange
            refuseTopic(stream, exchange, error)
        }
    }

    /// A stream is compressed where all its topics want it and its client accepts it.
    private func negotiateCompression(_ exchange: Exchange, _ names: [String], _ fields: inout FieldBlock) -> Bool {
        guard names.allSatisfy({ hub.options(ofTopic: $0)?.compression ?? false }), shard.canCompress else {
            return false
        }
        sayVariesByEncoding(exchange)
        guard AcceptEncoding.allowsGzip(exchange.head.fields.all(.acceptEncoding)) else { return false }
        fields.append(.contentEncoding, "gzip")
        return true
    }

    /// Tells caches that clients with another Accept-Encoding get something else.
    func sayVariesByEncoding(_ exchange: Exchange) {
        guard !exchange.commonFields.hasToken(.vary, "Accept-Encoding") else { return }
        let others = exchange.commonFields.string(.vary).map { "\($0), " } ?? ""
        exchange.commonFields.set(.vary, others + "Accept-Encoding")
    }

    func refuseTopic(_ stream: StreamPointer, _ exchange: Exchange, _ error: SluiceError) {
        if stream.value.connection.value.parser == nil { stream.value.closesAfterResponse = true }
        if error.kind == .unknownTopic {
            respond(stream, exchange, status: 404, text: "no topic has this name")
        } else {
            refuseForLoad(stream, exchange, status: 503, reason: error.message)
        }
    }

    /// A stream keeps nothing of what its request needed.
    private func startStreaming(_ stream: StreamPointer) {
        stream.value.isStreaming = true
        stream.value.exchange = nil
        stream.value.timer.at = 0
        stream.value.connection.value.parser = nil
        stream.value.connection.value.held = ByteQueue()
    }

    private func armHeartbeat(_ stream: StreamPointer) {
        guard let subscriber = stream.value.subscriber, let next = shard.firstHeartbeat(subscriber) else { return }
        arm(stream, next)
    }

    /// Sees to the streams that the flush left over: blocked, broken, too slow, ended.
    func settleStreams() {
        guard shard.hasLeftStreams else { return }
        for token in shard.blocked { streams.find(token).map(watchIfBlocked) }
        shard.blocked.removeAll(keepingCapacity: true)
        for token in shard.broken { streams.find(token).map(abandon) }
        shard.broken.removeAll(keepingCapacity: true)
        for slow in shard.slow {
            let peer = streams.find(slow.stream).map { "\($0.value.connection.value.peer)" } ?? ""
            let level: Logger.Level = slow.policy == .disconnect ? .notice : .debug
            logger.log(
                level: level, "slow subscriber",
                metadata: ["topic": "\(slow.topic)", "peer": "\(peer)", "overflow": "\(slow.policy)"])
        }
        shard.slow.removeAll(keepingCapacity: true)
        guard !shard.ended.isEmpty else { return }
        let ended = shard.ended
        shard.ended = []
        for over in ended {
            guard let stream = streams.find(over.stream), stream.value.subscriber == over.subscriber else { continue }
            shard.unsubscribe(over.subscriber)
            stream.value.writePrivate(over.trailer, context)
            finishStream(stream, isAborted: over.isAborted)
        }
    }

    func finishStream(_ stream: StreamPointer, isAborted: Bool = false) {
        stream.value.closesAfterResponse = true
        stream.value.isStreaming = false
        guard isAborted else {
            stream.value.endBody(context)
            return finishIfWritten(stream)
        }
        stream.value.abortBody(context)
        // Lingering begins with the end of this side, which here would be the proper end of the body.
        if stream.value.number == 0, stream.value.framing == .untilClose { return doom(stream.value.connection) }
        finishIfWritten(stream)
    }
}
