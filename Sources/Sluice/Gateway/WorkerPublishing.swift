internal import SluiceHTTP

/// Publishing by POST: everything is read and decided before anything is published.
extension Worker {
    func beginPublish(_ stream: StreamPointer, _ exchange: Exchange, _ topics: PublishTopics) {
        let limit = plan.limits.publishBody
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
        let body = exchange.body
        exchange.body = []
        do throws(PublishRefusal) {
            let request = try PublishRequest(
                try PublishMedia(head.fields), query: head.query, body: body, atMost: plan.limits.publishEvents)
            let names = try topics.names(for: request, exchange.parameters)
            let receipt = try publish(request, to: names)
            context.counters.published &+= UInt64(receipt.ids.count)
            var fields = FieldBlock()
            fields.append(.contentType, "application/json")
            respond(stream, exchange, status: 200, fields: fields, body: receipt.json)
        } catch {
            refusePublish(stream, exchange, error)
        }
    }

    private func publish(_ request: PublishRequest, to names: [String]) throws(PublishRefusal) -> PublishReceipt {
        var batch: [Publication] = []
        batch.reserveCapacity(names.count)
        for (index, (event, name)) in zip(request.events, names).enumerated() {
            if let topics = batch.last?.topics, topics.first?.name == name {
                batch.append(Publication(draft: event.draft, topics: topics))
                continue
            }
            do throws(SluiceError) {
                batch.append(Publication(draft: event.draft, topics: [try hub.topic(named: name)]))
            } catch {
                guard error.kind == .unknownTopic else { throw PublishRefusal(503, error.message) }
                let key = event.topic == nil ? nil : "topic"
                throw .at(
                    request.isList ? index : nil, key, 404, "there is no topic \(PublishRefusal.shown(name))")
            }
        }
        guard !batch.isEmpty else { return PublishReceipt(ids: [], subscribers: 0) }
        switch hub.publish(batch, from: index) {
        case .accepted(let receipt): return receipt
        case .full: throw PublishRefusal(429, "subscribers are behind; nothing was published, send it again later")
        case .gone: throw PublishRefusal(503, Hub.noRoomForTopics)
        case .tooLarge(let topic):
            throw PublishRefusal(
                413, "this is more than the log of \(PublishRefusal.shown(topic)) keeps; nothing was published")
        }
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

extension PublishReceipt {
    /// `{"ids":[...],"subscribers":n}`
    var json: [UInt8] {
        var bytes = Array("{\"ids\":[".utf8)
        for (number, id) in ids.enumerated() {
            if number > 0 { bytes.append(0x2C) }
            JSONText.append(id, to: &bytes)
        }
        bytes.append(contentsOf: Array("],\"subscribers\":\(subscribers)}".utf8))
        return bytes
    }
}
