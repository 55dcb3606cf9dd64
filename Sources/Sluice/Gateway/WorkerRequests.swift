internal import SluiceHTTP
internal import SluiceIO

/// From a request head to what serves it.
extension Worker {
    func begin(_ connection: ConnectionPointer, _ head: RequestHead) {
        context.counters.requests &+= 1
        let exchange = Exchange(head)
        connection.value.exchange = exchange
        connection.value.phase = .exchange
        connection.value.closesAfterResponse = !head.keepAlive || isDraining
        connection.value.framing = head.version == .http10 ? .untilClose : .chunked
        setDeadline(connection, plan.limits.requestHeadTimeout.milliseconds)
        countClient(connection, head)
        if connection.value.isRefused { return refuseForLoad(connection, exchange) }
        if answerPreflight(connection, exchange) { return }

        switch plan.table.lookup(head) {
        case .route(let route, let parameters):
            exchange.route = route
            exchange.parameters = parameters
            serve(connection, exchange, plan.routes[route])
        case .methodNotAllowed(let methods):
            nobodyServes(connection, exchange) {
                exchange.commonFields.append(.allow, methods.joined(separator: ", "))
                return (405, "this path does not serve \(head.method.name)")
            }
        case .notFound: nobodyServes(connection, exchange) { (404, "nothing is served at this path") }
        case .badPath: refuse(connection, HTTPError(status: 400, reason: "the path is malformed"))
        }
    }

    /// No route takes the request: a program's own handler does, where there is one.
    private func nobodyServes(
        _ connection: ConnectionPointer, _ exchange: Exchange, _ answer: () -> (status: UInt16, reason: String)
    ) {
        if plan.handler != nil { return runHandler(connection, exchange) }
        // A page may read an error too, where a route on this path would have let it read the answer.
        let method = Array(exchange.head.method.name.utf8)[...]
        let route = plan.table.preflight(exchange.head, requestedMethod: method) { plan.routes[$0].cors != nil }
        if let cors = route.flatMap({ plan.routes[$0].cors }) {
            exchange.commonFields = cors.fields(forOrigin: exchange.head.fields.first(.origin))
        }
        let (status, reason) = answer()
        respond(connection, exchange, status: status, text: reason)
    }

    private func serve(_ connection: ConnectionPointer, _ exchange: Exchange, _ route: Plan.PlannedRoute) {
        if let cors = route.cors {
            exchange.commonFields = cors.fields(forOrigin: exchange.head.fields.first(.origin))
        }
        if let authorization = route.authorization {
            switch authorization.check(exchange.head) {
            case .granted: break
            case .missing: return unauthorized(connection, exchange, "Bearer", "this needs a bearer token")
            case .invalid:
                return unauthorized(
                    connection, exchange, "Bearer error=\"invalid_token\"", "the bearer token is not valid")
            }
        }
        switch route.target {
        case .respond(let response):
            respond(
                connection, exchange, status: response.status, fields: response.fields, body: response.body)
        case .subscribe, .choose: subscribe(connection, exchange, route.target)
        case .publish(let template): beginPublish(connection, exchange, template)
        }
    }

    private func unauthorized(_ connection: ConnectionPointer, _ exchange: Exchange, _ challenge: String, _ why: String)
    {
        exchange.commonFields.append(.wwwAuthenticate, challenge)
        respond(connection, exchange, status: 401, text: why)
    }

    // MARK: CORS

    /// A preflight is answered before methods and authentication are looked at: it carries neither.
    private func answerPreflight(_ connection: ConnectionPointer, _ exchange: Exchange) -> Bool {
        let head = exchange.head
        guard head.method == .options, let origin = head.fields.first(.origin),
            let method = head.fields.first(.accessControlRequestMethod),
            let route = plan.table.preflight(
                head, requestedMethod: method, where: { plan.routes[$0].cors != nil }),
            let cors = plan.routes[route].cors
        else { return false }
        let fields = cors.preflight(
            origin: origin, requestedMethod: method,
            requestedHeaders: head.fields.first(.accessControlRequestHeaders), routeMethods: plan.routes[route].methods)
        respond(connection, exchange, status: 204, fields: fields, body: [])
        return true
    }

    // MARK: Who asks

    /// Behind a trusted proxy, limits count the client that it names.
    private func countClient(_ connection: ConnectionPointer, _ head: RequestHead) {
        guard let peer = connection.value.peer.ip, !plan.trustedProxies.isEmpty,
            plan.trustedProxies.contains(where: { $0.contains(peer) })
        else { return }
        let client = ClientAddress.find(
            peer: peer, trusted: plan.trustedProxies, forwardedFor: head.fields.all(.xForwardedFor))
        if connection.value.countedAddress == client { return }
        if let counted = connection.value.countedAddress { plan.ledger.uncount(counted) }
        connection.value.countedAddress = client
        let isWithin = plan.ledger.count(client)
        connection.value.isRefused = !isWithin || plan.ledger.count > plan.connectionLimit
    }

    /// Over a limit: an EventSource is told to come back later, anybody else gets the status.
    private func refuseForLoad(_ connection: ConnectionPointer, _ exchange: Exchange) {
        connection.value.closesAfterResponse = true
        refuseForLoad(connection, exchange, status: 503, reason: "too many connections")
    }

    func refuseForLoad(_ connection: ConnectionPointer, _ exchange: Exchange, status: UInt16, reason: String) {
        context.counters.refused &+= 1
        let accept = exchange.head.fields.first(.accept)
        guard plan.limits.onLimit == .retry, let accept, AcceptHeader.names(accept, "text/event-stream") else {
            exchange.commonFields.append(.retryAfter, String(Int.random(in: 10...60)))
            return respond(connection, exchange, status: status, text: reason)
        }
        var fields = FieldBlock()
        fields.append(.contentType, "text/event-stream")
        fields.append(.cacheControl, "no-store, no-transform")
        let body = Array("retry: \(Int.random(in: 10_000...60_000))\n: \(reason)\n".utf8)
        respond(connection, exchange, status: 200, fields: fields, body: body)
    }

    // MARK: Bodies

    func bodyPart(_ connection: ConnectionPointer, _ bytes: UnsafeRawBufferPointer) {
        guard let exchange = connection.value.exchange, !exchange.bodyEnded else { return }
        setDeadline(connection, plan.limits.requestHeadTimeout.milliseconds)
        switch exchange.bodyUse {
        case .collect(let limit):
            guard bytes.count <= limit - exchange.body.count else {
                exchange.body = []
                exchange.bodyUse = .discard
                return bodyTooLarge(connection, exchange)
            }
            unsafe exchange.body.append(contentsOf: bytes)
        case .discard, .wait:
            exchange.bodyBytes += bytes.count
            // Reading on only to keep the connection is worth so much and no more.
            if exchange.bodyBytes > 256 * 1024 { connection.value.closesAfterResponse = true }
            if exchange.wasAnswered, connection.value.closesAfterResponse { finishIfWritten(connection) }
        }
    }

    private func bodyTooLarge(_ connection: ConnectionPointer, _ exchange: Exchange) {
        if let handler = exchange.handler { return handler.bodyTooLarge() }
        connection.value.closesAfterResponse = true
        respond(connection, exchange, status: 413, text: "the body is larger than \(plan.limits.publishBody) bytes")
    }

    func bodyEnded(_ connection: ConnectionPointer) {
        guard let exchange = connection.value.exchange, !exchange.bodyEnded else { return }
        exchange.bodyEnded = true
        connection.value.deadline = 0
        // Before the answer is looked at: a stream may read its request's body while it runs.
        if let handler = exchange.handler {
            let body = exchange.body
            exchange.body = []
            return handler.bodyArrived(body)
        }
        if exchange.wasAnswered { return finishIfWritten(connection) }
        guard let route = exchange.route else { return }
        switch plan.routes[route].target {
        case .publish(let template): publish(connection, exchange, template)
        case .subscribe, .choose: subscribe(connection, exchange, plan.routes[route].target)
        case .respond: break
        }
    }

    /// Makes way for a body that is wanted: the client may be waiting for it to be asked for (RFC 9110, section 10.1.1).
    func expectBody(_ connection: ConnectionPointer, _ exchange: Exchange, limit: Int) {
        exchange.bodyUse = .collect(limit: limit)
        askForBody(connection, exchange)
    }

    /// Says 100 to a client that waits for it. Behind the head of the answer it would be a part of the body.
    func askForBody(_ connection: ConnectionPointer, _ exchange: Exchange) {
        if exchange.head.expectsContinue, !exchange.bodyEnded, exchange.body.isEmpty, !exchange.wasAnswered {
            connection.value.transport.writeAll(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), context)
        }
    }
}
