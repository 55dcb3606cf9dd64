internal import HTTPTypes
internal import Logging
internal import SluiceHTTP
internal import SluiceIO

/// Requests that a program's handler serves. The handler runs as a task, away from the loop; here is the loop's side.
extension Worker {
    /// Bytes of a program's stream that are taken over at once.
    static let outboxBatch = 64 * 1024
    /// Batches of one stream before others have their turn.
    static let outboxTurn = 16

    func runHandler(_ stream: StreamPointer, _ exchange: Exchange) {
        guard let handler = plan.handler else { return }
        let served = ServedRequest(stream: stream.value.token, link: link)
        exchange.handler = ServedExchange(served) { [unowned self] in flushStream($0) }
        if !exchange.bodyEnded { exchange.bodyUse = .wait }
        stream.value.timer.at = 0
        let address = client(of: stream)?.description ?? ""
        let request = Request(exchange.head, remoteAddress: address, served: served)
        let link = link
        let logger = logger
        served.run(
            Task {
                let response: Response
                do {
                    response = try await handler(request)
                } catch {
                    if !(error is CancellationError) {
                        logger.error("a handler failed", metadata: ["path": "\(request.path)", "reason": "\(error)"])
                    }
                    response = .text("the handler failed\n", status: .internalServerError)
                }
                link.post(.answer(served, response))
                if case .eventStream(let limit, let serve) = response.body {
                    served.openStream(bufferLimit: limit)
                    do {
                        try await serve(EventStream(request))
                    } catch {
                        if served.isOpen, !(error is CancellationError) {
                            logger.error(
                                "a stream failed", metadata: ["path": "\(request.path)", "reason": "\(error)"])
                        }
                    }
                    served.close()
                }
                served.taskEnded()
            })
    }

    /// The stream and exchange that a program still serves.
    private func find(_ request: ServedRequest) -> (StreamPointer, Exchange)? {
        guard let stream = streams.find(request.stream), !stream.value.isOver, !stream.value.connection.value.isDoomed,
            let exchange = stream.value.exchange,
            (exchange.handler as? ServedExchange)?.request === request
        else { return nil }
        return (stream, exchange)
    }

    func wantBody(_ request: ServedRequest, _ limit: Int) {
        guard let (stream, exchange) = find(request) else { return }
        if exchange.bodyEnded { return request.bodyArrived(.success([])) }
        expectBody(stream, exchange, limit: max(0, limit))
        setDeadline(stream, plan.requestHeadTimeout)
        releaseUnread(stream)
    }

    func answer(_ request: ServedRequest, _ response: Response) {
        guard let (stream, exchange) = find(request) else { return }
        if !exchange.bodyEnded { stream.value.closesAfterResponse = true }
        var fields = FieldBlock()
        for field in response.headerFields { fields.append(name: field.name.rawName, value: field.value) }
        guard let status = UInt16(exactly: response.status.code), (200...999).contains(status) else {
            logger.error(
                "a handler answered with a status that is none", metadata: ["status": "\(response.status.code)"])
            exchange.handler = nil
            request.end()
            return respond(stream, exchange, status: 500, text: "the handler failed")
        }
        guard case .eventStream = response.body else {
            exchange.handler = nil
            exchange.bodyUse = .discard
            // Whatever of the program still waits for the body waits in vain.
            request.end()
            guard case .bytes(let bytes) = response.body else { return }
            return respond(stream, exchange, status: status, fields: fields, body: bytes)
        }
        let isBodiless = ResponseHead.isBodiless(status)
        guard exchange.head.method != .head, !isBodiless else {
            exchange.handler = nil
            request.end()
            if isBodiless { return respond(stream, exchange, status: status, fields: fields, body: []) }
            return respondToHead(stream, exchange, status: status, fields: fields)
        }
        // A client that ended its side before would not be seen to leave: its hang-up was said already.
        guard !stream.value.connection.value.transport.inputEnded else { return abandon(stream) }
        exchange.wasAnswered = true
        var head = ResponseHead(status: status, fields: fields)
        finish(&head, exchange)
        head.version = exchange.head.version
        head.body = exchange.head.version == .http10 ? .untilClose : .chunked
        head.keepAlive = !stream.value.closesAfterResponse
        stream.value.begin(head, body: [], context)
        stream.value.logOpen(context)
        watchForLeaving(stream)
        if isDraining { request.close() }
        flushStream(request)
    }

    /// A client that leaves is noticed by its hang-up: reading goes on, and what it sends is kept up to one buffer.
    private func watchForLeaving(_ stream: StreamPointer) {
        arm(stream, context.now &+ plan.writeTimeout)
    }

    /// Writes what a program's stream holds, as far as the client takes it.
    func flushStream(_ request: ServedRequest) {
        guard let (stream, exchange) = find(request), exchange.wasAnswered else { return }
        for _ in 0..<Worker.outboxTurn {
            if stream.value.hasFailed { return abandon(stream) }
            guard !stream.value.isBlocked else {
                request.markBlocked()
                return watchIfBlocked(stream)
            }
            let (bytes, isLast) = request.takeOutbox(limit: Worker.outboxBatch)
            if !bytes.isEmpty {
                if let record = stream.value.record { record.events = events(of: exchange, with: bytes) }
                stream.value.writePrivate(bytes, context)
            }
            if isLast {
                exchange.handler = nil
                request.end()
                stream.value.endBody(context)
                return finishIfWritten(stream)
            }
            if bytes.count < Worker.outboxBatch, !stream.value.isBlocked { return }
        }
        // A program as fast as its client would keep the loop for itself.
        link.post(.flushStream(request))
    }

    /// The events that a program's stream has had with these bytes.
    private func events(of exchange: Exchange, with bytes: [UInt8]) -> UInt64? {
        guard let served = exchange.handler as? ServedExchange else { return nil }
        unsafe bytes.withUnsafeBytes { unsafe served.boundary.pass($0) }
        return served.boundary.events
    }

    // MARK: Ticks

    func startTicks(_ request: ServedRequest, _ source: TickSource) {
        guard find(request) != nil, !source.isFinished else { return source.finish() }
        let token = ticks.nextToken
        let due = context.now &+ source.intervalMilliseconds
        ticks.insert(
            TickTimer(
                source: source,
                timer: loop.timers.schedule(atMilliseconds: due, token: token.packed(.ticks)), due: due))
        source.timer = token
    }

    func stopTicks(_ source: TickSource) {
        guard let token = source.timer, let tick = ticks.find(token) else { return }
        if let timer = tick.value.timer { loop.timers.cancel(timer) }
        ticks.remove(token)
    }

    func ticksTimer(_ token: Token) {
        guard let tick = ticks.find(token) else { return }
        let source = tick.value.source
        // The iterator's end removes the timer; a source that finished without it, too.
        guard !source.isFinished else { return ticks.remove(token) }
        // From when it was due, not from now: a busy loop does not make the ticks drift.
        tick.value.due = max(tick.value.due &+ source.intervalMilliseconds, context.now)
        tick.value.timer = loop.timers.schedule(atMilliseconds: tick.value.due, token: token.packed(.ticks))
        source.fire()
    }
}
