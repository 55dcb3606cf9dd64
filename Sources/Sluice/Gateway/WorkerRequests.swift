internal import SluiceHTTP
internal import SluiceIO

/// From a request head to what serves it.
extension Worker {
    func begin(_ stream: StreamPointer, _ head: consuming RequestHead) {
        context.counters.requests &+= 1
        let exchange = Exchange(consume head, isSecure: stream.value.connection.value.transport.isSecure)
        stream.value.exchange = exchange
        if let record = stream.value.record { note(exchange, in: record) }
        stream.value.closesAfterResponse = !exchange.head.keepAlive || isDraining
        stream.value.framing = exchange.head.version == .http11 ? .chunked : .untilClose
        if !exchange.bodyEnded { setDeadline(stream, plan.requestHeadTimeout) }
        guard isAdmitted(stream, exchange.head) else { return refuseForLoad(stream, exchange) }
        // A tunnel to anywhere is not for an application behind a gateway, nor for one before it.
        guard exchange.head.method != .connect else {
            return respond(stream, exchange, status: 501, text: "CONNECT is not served")
        }
        if answerPreflight(stream, exchange) { return }

        exchange.path = try? plan.table.path(of: exchange.head)
        let client = client(of: stream)
        switch exchange.path.map({ plan.table.lookup(exchange.head, path: $0, client: client) }) {
        case .route(let route, let parameters):
            exchange.route = route
            stream.value.record?.route = route
            exchange.parameters = parameters
            serve(stream, exchange, plan.routes[route])
        case .methodNotAllowed(let methods):
            nobodyServes(stream, exchange) {
                exchange.commonFields.append(.allow, methods.joined(separator: ", "))
                return (405, "this path does not serve \(exchange.head.method.name)")
            }
        case .notFound: nobodyServes(stream, exchange) { (404, "nothing is served at this path") }
        case .badPath, nil: refuse(stream, HTTPError(status: 400, reason: "the path is malformed"))
        }
    }

    /// No route takes the request: a program's own handler does, where there is one.
    private func nobodyServes(
        _ stream: StreamPointer, _ exchange: Exchange, _ answer: () -> (status: UInt16, reason: String)
    ) {
        if plan.handler != nil { return runHandler(stream, exchange) }
        // A page may read an error too, where a route on this path would have let it read the answer.
        let method = Array(exchange.head.method.name.utf8)[...]
        let route = plan.table.preflight(
            exchange.head, requestedMethod: method, client: client(of: stream), where: { plan.routes[$0].cors != nil })
        if let cors = route.flatMap({ plan.routes[$0].cors }) {
            exchange.commonFields = cors.fields(forOrigin: exchange.head.fields.first(.origin))
        }
        let (status, reason) = answer()
        respond(stream, exchange, status: status, text: reason)
    }

    private func serve(_ stream: StreamPointer, _ exchange: Exchange, _ route: Plan.PlannedRoute) {
        if let cors = route.cors {
            exchange.commonFields = cors.fields(forOrigin: exchange.head.fields.first(.origin))
        }
        guard isWithinLimits(stream, exchange, route.limits) else { return }
        if let authorization = route.authorization {
            let result = authorization.check(exchange.head)
            if let challenge = result.challenge {
                exchange.commonFields.append(.wwwAuthenticate, "\(challenge)")
                return respond(
                    stream, exchange, status: 401,
                    text: result == .missing ? "this needs a bearer token" : "the bearer token is not valid")
            }
        }
        switch route.target {
        case .respond(let response):
            respond(
                stream, exchange, status: response.status, fields: response.fields, body: response.body)
        case .redirect(let template, let status): redirect(stream, exchange, to: template, status: status)
        case .subscribe, .choose: subscribe(stream, exchange, route.target)
        case .publish(let template): beginPublish(stream, exchange, template)
        case .proxy(let target): proxy(stream, exchange, target)
        case .files(let files): serveFile(stream, exchange, files)
        }
    }

    // MARK: CORS

    /// A preflight is answered before methods and authentication are looked at: it carries neither.
    private func answerPreflight(_ stream: StreamPointer, _ exchange: Exchange) -> Bool {
        let head = exchange.head
        guard head.method == .options, let origin = head.fields.first(.origin),
            let method = head.fields.first(.accessControlRequestMethod),
            let route = plan.table.preflight(
                head, requestedMethod: method, client: client(of: stream), where: { plan.routes[$0].cors != nil }),
            let cors = plan.routes[route].cors
        else { return false }
        exchange.route = route
        stream.value.record?.route = route
        let fields = cors.preflight(
            origin: origin, requestedMethod: method,
            requestedHeaders: head.fields.first(.accessControlRequestHeaders), routeMethods: plan.routes[route].methods)
        respond(stream, exchange, status: 204, fields: fields, body: [])
        return true
    }

    // MARK: Who asks

    /// Whether there is room for one more. Behind a trusted proxy, limits count the client that it names.
    private func isAdmitted(_ stream: StreamPointer, _ head: RequestHead) -> Bool {
        let connection = stream.value.connection
        guard let peer = connection.value.peer.ip, !plan.trustedProxies.isEmpty,
            plan.trustedProxies.contains(where: { $0.contains(peer) })
        else { return !connection.value.isRefused }
        let client = ClientAddress.find(
            peer: peer, trusted: plan.trustedProxies, forwardedFor: head.fields.all(.xForwardedFor))
        stream.value.countedAddress = client
        return plan.ledger.count(client) && plan.ledger.count <= plan.connectionLimit
    }

    /// The client's address: behind a trusted proxy that of the client that it names; `nil` over a Unix socket.
    func client(of stream: StreamPointer) -> IPAddress? { stream.value.client }

    /// Over a limit: an EventSource is told to come back later, anybody else gets the status.
    private func refuseForLoad(_ stream: StreamPointer, _ exchange: Exchange) {
        stream.value.closesAfterResponse = true
        let connection = stream.value.connection
        if let http2 = connection.value.http2, connection.value.isRefused { drainFrames(connection, http2) }
        refuseForLoad(stream, exchange, status: 503, reason: "too many connections")
    }

    /// - Parameter retryAfter: seconds until it would be served, where that is known.
    func refuseForLoad(
        _ stream: StreamPointer, _ exchange: Exchange, status: UInt16, reason: String, retryAfter: Int? = nil
    ) {
        context.counters.refused &+= 1
        stream.value.record?.ends(.refused)
        let accept = exchange.head.fields.first(.accept)
        // An EventSource makes nothing but GET; who else sent something must learn that it was not taken.
        guard plan.limits.onLimit == .retry, exchange.head.method == .get, let accept,
            AcceptHeader.names(accept, "text/event-stream")
        else {
            exchange.commonFields.append(.retryAfter, String(retryAfter ?? Int.random(in: 10...60)))
            return respond(stream, exchange, status: status, text: reason)
        }
        var fields = FieldBlock()
        fields.append(.contentType, "text/event-stream")
        fields.append(.cacheControl, "no-store, no-transform")
        let milliseconds = max(Int.random(in: 10_000...60_000), min(retryAfter ?? 0, 1 << 31) * 1000)
        let body = Array("retry: \(milliseconds)\n: \(reason)\n".utf8)
        respond(stream, exchange, status: 200, fields: fields, body: body)
    }

    // MARK: Bodies

    func bodyPart(_ stream: StreamPointer, _ bytes: UnsafeRawBufferPointer) {
        // Of nothing, nobody shall believe that the body has begun: HTTP/2 has frames without bytes.
        guard bytes.count > 0, let exchange = stream.value.exchange, !exchange.bodyEnded else { return }
        // What follows a whole answer is of no use, and gives it no more time to leave.
        if stream.value.number != 0, stream.value.isFinishing { return }
        switch exchange.bodyUse {
        case .collect, .discard, .wait: setDeadline(stream, plan.requestHeadTimeout)
        // Who it is handed on to knows whose turn it is.
        case .relay, .tunnel: break
        }
        switch exchange.bodyUse {
        case .relay, .tunnel:
            exchange.bodyBytes += bytes.count
            guard exchange.bodyBytes <= exchange.bodyLimit else { return exchange.handler?.bodyTooLarge() ?? () }
            unsafe exchange.handler?.bodyPart(bytes)
        case .collect(let limit):
            guard bytes.count <= limit - exchange.body.count else {
                exchange.body = []
                exchange.bodyUse = .discard
                return bodyTooLarge(stream, exchange, limit: limit)
            }
            if let http2 = stream.value.connection.value.http2, !http2.hasRoom(for: bytes.count, atMost: limit) {
                exchange.body = []
                exchange.bodyUse = .discard
                return tooManyBodies(stream, exchange)
            }
            unsafe exchange.body.append(contentsOf: bytes)
        case .discard, .wait:
            exchange.bodyBytes += bytes.count
            if exchange.bodyBytes > exchange.bodyLimit, !exchange.wasAnswered {
                bodyTooLarge(stream, exchange, limit: exchange.bodyLimit)
            }
            // Reading on only to keep the connection is worth so much and no more.
            if exchange.bodyBytes > 256 * 1024 { stream.value.closesAfterResponse = true }
            if exchange.wasAnswered, stream.value.closesAfterResponse { finishIfWritten(stream) }
        }
    }

    func bodyTooLarge(_ stream: StreamPointer, _ exchange: Exchange, limit: Int) {
        if let handler = exchange.handler { return handler.bodyTooLarge() }
        stream.value.closesAfterResponse = true
        respond(stream, exchange, status: 413, text: "the body is larger than \(limit) bytes")
    }

    /// Streams are cheap to open, and each may have a body that is kept: a connection's bodies are bounded together.
    private func tooManyBodies(_ stream: StreamPointer, _ exchange: Exchange) {
        if let handler = exchange.handler { return handler.bodyTooLarge() }
        exchange.commonFields.append(.retryAfter, "1")
        respond(stream, exchange, status: 429, text: "too many bodies are under way on this connection")
    }

    func bodyEnded(_ stream: StreamPointer, _ trailers: FieldBlock?) {
        guard let exchange = stream.value.exchange, !exchange.bodyEnded else { return }
        exchange.bodyEnded = true
        exchange.trailers = trailers
        stream.value.timer.at = 0
        // Before the answer is looked at: a stream may read its request's body while it runs.
        if let handler = exchange.handler {
            let body = exchange.body
            exchange.body = []
            return handler.bodyArrived(body)
        }
        if exchange.wasAnswered { return finishIfWritten(stream) }
        guard let route = exchange.route else { return }
        switch plan.routes[route].target {
        case .publish(let template): publish(stream, exchange, template)
        case .subscribe, .choose: subscribe(stream, exchange, plan.routes[route].target)
        case .respond, .proxy, .redirect, .files: break
        }
    }

    /// Makes way for a body that is wanted: the client may be waiting for it to be asked for (RFC 9110, section 10.1.1).
    func expectBody(_ stream: StreamPointer, _ exchange: Exchange, limit: Int) {
        exchange.bodyUse = .collect(limit: limit)
        askForBody(stream, exchange)
    }

    /// Says 100 to a client that waits for it. Behind the head of the answer it would be a part of the body.
    func askForBody(_ stream: StreamPointer, _ exchange: Exchange) {
        if exchange.head.expectsContinue, !exchange.bodyEnded, exchange.body.isEmpty, !exchange.wasAnswered {
            stream.value.askForBody(context)
        }
    }
}
