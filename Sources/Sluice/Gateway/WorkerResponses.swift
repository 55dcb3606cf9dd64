internal import SluiceHTTP
internal import SluiceIO

/// Answers that are whole at once.
extension Worker {
    /// Answers with one line of text, or a problem document (RFC 9457) where the client prefers JSON.
    func respond(_ stream: StreamPointer, _ exchange: Exchange, status: UInt16, text: String) {
        var fields = FieldBlock()
        let body = Self.body(status, text, for: exchange, &fields)
        respond(stream, exchange, status: status, fields: fields, body: body)
    }

    private static func body(
        _ status: UInt16, _ text: String, for exchange: Exchange?, _ fields: inout FieldBlock
    ) -> [UInt8] {
        let accept = exchange?.head.fields.all(.accept) ?? []
        guard status >= 400,
            ["application/json", "application/problem+json"].contains(where: { AcceptHeader.names(accept, $0) })
        else {
            fields.append(.contentType, "text/plain; charset=utf-8")
            return Array((text + "\n").utf8)
        }
        fields.append(.contentType, "application/problem+json")
        var body = Array("{\"status\":\(status),\"title\":".utf8)
        JSONText.append("\(ResponseHead.reason(for: status))", to: &body)
        body.append(contentsOf: Array(",\"detail\":".utf8))
        JSONText.append(text, to: &body)
        body.append(0x7D)
        return body
    }

    /// Answers with a head and a body of known length.
    func respond(
        _ stream: StreamPointer, _ exchange: Exchange, status: UInt16, fields: FieldBlock, body: [UInt8]
    ) {
        var fields = fields
        fields.append(.date, date)
        respond(stream, exchange, status: status, datedFields: fields, body: body)
    }

    /// The same with fields that have the date already.
    func respond(
        _ stream: StreamPointer, _ exchange: Exchange, status: UInt16, datedFields fields: FieldBlock, body: [UInt8]
    ) {
        guard !exchange.wasAnswered else { return }
        exchange.wasAnswered = true
        if exchange.head.expectsContinue, !exchange.bodyEnded {
            // The client was not told to go on, so whether its body still comes is unknown.
            stream.value.closesAfterResponse = true
        }
        var head = ResponseHead(status: status, fields: fields)
        addCommonFields(&head, exchange)
        let hasNoBody = status == 204 || status == 304
        head.body = hasNoBody ? .none : .length(UInt64(body.count))
        head.keepAlive = !stream.value.closesAfterResponse
        head.version = exchange.head.version
        let isHead = exchange.head.method == .head
        stream.value.begin(head, body: isHead || hasNoBody ? [] : body, isLast: true, context)
        finishIfWritten(stream)
    }

    /// Answers HEAD for a stream: the head that GET would get, which has no length (RFC 9110, section 8.6).
    func respondToHead(_ stream: StreamPointer, _ exchange: Exchange, status: UInt16, fields: FieldBlock) {
        guard !exchange.wasAnswered else { return }
        exchange.wasAnswered = true
        if exchange.head.version == .http10 { stream.value.closesAfterResponse = true }
        var head = ResponseHead(status: status, fields: fields)
        finish(&head, exchange)
        head.version = exchange.head.version
        head.body = exchange.head.version == .http10 ? .untilClose : .chunked
        head.keepAlive = !stream.value.closesAfterResponse
        stream.value.begin(head, body: [], isLast: true, context)
        finishIfWritten(stream)
    }

    /// What every response carries: the date, and what its route adds.
    func finish(_ head: inout ResponseHead, _ exchange: Exchange) {
        head.fields.append(.date, date)
        addCommonFields(&head, exchange)
    }

    func addCommonFields(_ head: inout ResponseHead, _ exchange: Exchange) {
        defer {
            if let route = exchange.route { plan.routes[route].responseHeaders?.apply(to: &head.fields) }
        }
        if !exchange.commonFields.isEmpty {
            exchange.commonFields.forEach { id, name, value in Self.add(id, name, value, to: &head) }
        }
        defaultFields(exchange)?.forEach { id, name, value in
            guard head.fields.first(named: String(decoding: name, as: UTF8.self)) == nil else { return }
            Self.add(id, name, value, to: &head)
        }
    }

    /// Fields that an answer gets unless it has them: of its route, or of all answers where no route is known.
    private func defaultFields(_ exchange: Exchange) -> FieldBlock? {
        let route = exchange.route.map { plan.routes[$0] }
        let showsRequestID = route?.showsRequestID ?? plan.configuration.requestID
        guard showsRequestID || route?.securityHeaders != nil else { return nil }
        var fields = route?.securityHeaders?.fields(overTLS: exchange.isSecure) ?? FieldBlock()
        if showsRequestID { fields.append(.xRequestID, exchange.requestID) }
        return fields
    }

    private static func add(
        _ id: FieldID, _ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>, to head: inout ResponseHead
    ) {
        if id == .other {
            head.fields.append(
                name: String(decoding: name, as: UTF8.self), value: String(decoding: value, as: UTF8.self))
        } else {
            head.fields.append(id, value)
        }
    }

    /// Answers what is no proper request, once, and closes: nothing that follows it can be trusted to be one.
    func refuse(_ stream: StreamPointer, _ error: HTTPError) {
        context.counters.badRequests &+= 1
        stream.value.closesAfterResponse = true
        if let exchange = stream.value.exchange, !exchange.wasAnswered, let link = exchange.handler as? ProxyLink {
            // The upstream has said nothing yet, so there is room for this answer.
            exchange.handler = nil
            cancel(link.proxied)
        }
        if let exchange = stream.value.exchange, exchange.wasAnswered || exchange.handler != nil {
            stream.value.record?.ends(.protocolError)
            return abandon(stream)
        }
        var head = ResponseHead(status: error.status, fields: FieldBlock())
        let body = Self.body(error.status, "\(error.reason)", for: stream.value.exchange, &head.fields)
        if let exchange = stream.value.exchange { finish(&head, exchange) } else { head.fields.append(.date, date) }
        head.body = .length(UInt64(body.count))
        head.keepAlive = false
        stream.value.exchange = nil
        stream.value.begin(head, body: body, isLast: true, context)
        finishIfWritten(stream)
    }

    /// Somebody speaks plain HTTP to a TLS port. Saying so costs one line and saves an hour.
    func answerPlainHTTP(_ connection: ConnectionPointer) {
        let body = "this port speaks HTTPS; plain HTTP was received\n"
        let text =
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
            + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
        connection.value.transport.writeUnsealed(Array(text.utf8))
        logNoRequest(connection, status: 400, bytes: body.utf8.count)
    }
}
