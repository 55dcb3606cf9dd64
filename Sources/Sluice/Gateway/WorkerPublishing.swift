internal import SluiceHTTP
internal import SluiceIO

/// Publishing by POST: everything is read and decided before anything is published.
extension Worker {
    func beginPublish(_ stream: StreamPointer, _ exchange: Exchange, _ topics: PublishTopics) {
        let limit = min(plan.limits.publishBody, exchange.bodyLimit)
        if case .length(let length) = exchange.head.body, length > UInt64(max(0, limit)) {
            stream.value.closesAfterResponse = true
            return respond(stream, exchange, status: 413, text: "the body is larger than \(limit) bytes")
        }
        do throws(PublishRefusal) {
            _ = try PublishMedia(exchange.head.fields)
        } catch {
            // What follows is a body that nobody wants.
            stream.value.closesAfterResponse = true
            return refusePublish(stream, exchange, error)
        }
        if exchange.bodyEnded { return publish(stream, exchange, topics) }
        expectBody(stream, exchange, limit: limit)
    }

    func publish(_ stream: StreamPointer, _ exchange: Exchange, _ topics: PublishTopics) {
        let head = exchange.head
        var body: [UInt8] = []
        swap(&body, &exchange.body)
        defer { batch.removeAll() }
        do throws(PublishRefusal) {
            let request = try PublishRequest(
                try PublishMedia(head.fields), query: head.query, body: body, atMost: plan.limits.publishEvents)
            try publish(request, try topics.names(for: request, exchange.parameters), by: &batch)
            context.counters.published &+= UInt64(request.events.count)
            if let record = stream.value.record { note(batch, isNamedByQuery: request.topic != nil, in: record) }
            answerPublisher(stream, exchange, receipt(batch))
        } catch {
            refusePublish(stream, exchange, error)
        }
    }

    private func publish(
        _ request: PublishRequest, _ names: PublishTopics.Names, by batch: inout EncodedBatch
    ) throws(PublishRefusal) {
        var topic: Topic?
        for (index, event) in request.events.enumerated() {
            let name = names[index]
            do throws(SluiceError) {
                let found = if let topic, topic.name == name { topic } else { try hub.topic(named: name) }
                batch.add(event.draft, to: found, epoch: hub.epoch)
                topic = found
            } catch {
                guard error.kind == .unknownTopic else { throw PublishRefusal(503, error.message) }
                let key = event.topic == nil ? nil : "topic"
                throw .at(
                    request.isList ? index : nil, key, 404, "there is no topic \(PublishRefusal.shown(name))")
            }
        }
        guard !batch.placements.isEmpty else { return }
        switch hub.publish(&batch, from: index) {
        case .accepted: break
        case .full: throw PublishRefusal(429, "subscribers are behind; nothing was published, send it again later")
        case .gone: throw PublishRefusal(503, Hub.noRoomForTopics)
        case .tooLarge(let topic):
            throw PublishRefusal(
                413, "this is more than the log of \(PublishRefusal.shown(topic)) keeps; nothing was published")
        }
    }

    // MARK: Answers

    /// An answer leaves when what it tells of was written to those who wait for it here, as far as this tick gets: they
    /// come first, and waking a publisher first would let it take this thread's processor before they have their events.
    /// Over HTTP/2 the frames of a tick leave at its end anyway; over HTTP/1.1 the connection holds back what is written.
    private func answerPublisher(_ stream: StreamPointer, _ exchange: Exchange, _ receipt: [UInt8]) {
        let connection = stream.value.connection
        if stream.value.number == 0, connection.value.transport.hold(context) {
            holding.append(connection.value.token)
        }
        respond(stream, exchange, status: 200, datedFields: receiptFields, body: receipt)
    }

    /// `{"ids":[...],"subscribers":n}`
    private func receipt(_ batch: EncodedBatch) -> [UInt8] {
        var json: [UInt8] = []
        json.reserveCapacity(48 + 24 * batch.placements.count)
        json.append(contentsOf: "{\"ids\":[".utf8)
        for (number, placement) in batch.placements.enumerated() {
            if number > 0 { json.append(0x2C) }
            switch batch.shares[placement.share].topic.form.ids {
            case .gateway:
                json.append(0x22)
                hub.appendID(of: placement.event.sequence, to: &json)
                json.append(0x22)
            case .upstream: JSONText.append(placement.event.ownID, to: &json)
            case .off: json.append(contentsOf: "\"\"".utf8)
            }
        }
        json.append(contentsOf: "],\"subscribers\":".utf8)
        JSONText.append(batch.subscribers, to: &json)
        json.append(0x7D)
        return json
    }

    /// What was held back leaves. A request that waited behind it may be served in this, and its answer is held back
    /// until the next tick.
    func releaseHolding() {
        guard !holding.isEmpty else { return }
        var held: [Token] = []
        swap(&held, &holding)
        for token in held {
            guard let connection = connections.find(token), !connection.value.isDoomed else { continue }
            becameWritable(connection)
            if connection.value.transport.isBlocked {
                arm(connection, context.now &+ plan.writeTimeout)
            }
        }
        // A stream that was begun here starts with the hub's answer, which lies in this worker's own mailbox unannounced.
        hub.mailboxes[index].wake()
    }

    private func refusePublish(_ stream: StreamPointer, _ exchange: Exchange, _ refusal: PublishRefusal) {
        switch refusal.status {
        case 415:
            exchange.commonFields.append(.accept, PublishMedia.accepted)
            exchange.commonFields.append(.acceptEncoding, "identity")
        case 429: exchange.commonFields.append(.retryAfter, "1")
        // Never 200 with a `retry:`, whatever the client accepts: nothing was published.
        case 503:
            context.counters.refused &+= 1
            exchange.commonFields.append(.retryAfter, String(Int.random(in: 10...60)))
        default: break
        }
        respond(stream, exchange, status: refusal.status, text: refusal.reason)
    }
}
