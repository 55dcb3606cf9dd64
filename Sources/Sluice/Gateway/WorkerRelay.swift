internal import Logging
internal import SluiceHTTP
internal import SluiceIO

/// Bytes on their way from client to upstream.
extension Worker {
    /// The connection stands: the request goes out.
    func start(_ connection: UpstreamConnection, _ proxied: ProxiedExchange) {
        proxied.connection = connection
        connection.exchange = proxied
        connection.phase = .busy
        guard let (stream, exchange) = find(proxied) else { return cancel(proxied) }
        let pool = proxied.target.pool
        connection.parser.expect(method: proxied.request.head.method)
        connection.hasSpoken = false
        let keepsHost = pool.options.host == .keep && proxied.request.head.host != nil
        let authority = keepsHost ? nil : pool.servers[proxied.lease?.server ?? 0].authority
        connection.transport.writeAll(context) { proxied.request.write(authority: authority, to: &$0) }
        let hasFailed = connection.transport.failure != nil
        // Without TLS the first write is one call, of which nothing left when it failed.
        proxied.progress.wasSent = !hasFailed || connection.transport.isSecure
        if hasFailed { return cannotWrite(connection) }
        // Of an attempt before this one the client's body may have ended already.
        guard !exchange.bodyEnded else { return relayBodyEnd(proxied) }
        if exchange.head.expectsContinue {
            // Until the server has decided whether it wants the body it is the one who is waited for.
            setDeadline(connection, pool.times.firstByte)
        } else {
            waitForBody(connection, proxied, stream)
        }
        takeBodyOn(stream, exchange)
    }

    /// The upstream takes the request's body.
    private func takeBodyOn(_ stream: StreamPointer, _ exchange: Exchange) {
        exchange.bodyUse = .relay
        releaseUnread(stream)
    }

    /// It is the client's turn to send, not the upstream's to take or to answer. An answer that began already has the
    /// timers for itself.
    private func waitForBody(_ connection: UpstreamConnection, _ proxied: ProxiedExchange, _ stream: StreamPointer) {
        guard !proxied.progress.wasAnswered else { return }
        connection.timer.at = 0
        setDeadline(stream, proxied.target.pool.times.idle)
    }

    func relayBody(_ proxied: ProxiedExchange, _ bytes: UnsafeRawBufferPointer) {
        guard let (stream, _) = find(proxied) else { return }
        // A body without its head would be a request of its own.
        guard let connection = proxied.connection, connection.phase == .busy else { return abandon(stream) }
        proxied.progress.bodyWasTaken = true
        if case .chunked = proxied.request.head.body {
            connection.transport.writeAll(context) { unsafe HTTP1Serializer.appendChunk(bytes, to: &$0) }
        } else {
            unsafe connection.transport.writeAll(bytes, context)
        }
        if connection.transport.failure != nil { return cannotWrite(connection) }
        guard connection.transport.isBlocked else { return waitForBody(connection, proxied, stream) }
        keepBodyBack(proxied)
        if !proxied.progress.wasAnswered { setDeadline(connection, proxied.target.pool.times.idle) }
    }

    func relayBodyEnd(_ proxied: ProxiedExchange) {
        guard let (stream, exchange) = find(proxied) else { return }
        guard let connection = proxied.connection, connection.phase == .busy else { return abandon(stream) }
        if case .chunked = proxied.request.head.body {
            connection.transport.writeAll(context) {
                HTTP1Serializer.appendLastChunk(trailers: exchange.trailers, to: &$0)
            }
            if connection.transport.failure != nil { return cannotWrite(connection) }
        }
        proxied.hasSentAll = true
        guard !proxied.progress.wasAnswered else { return armHeartbeat(stream, proxied) }
        setDeadline(connection, proxied.target.pool.times.firstByte)
    }

    /// There is room at the upstream again.
    func becameWritable(_ connection: UpstreamConnection) {
        guard connection.transport.becameWritable(context) else {
            if connection.transport.failure != nil { cannotWrite(connection) }
            return
        }
        guard let proxied = connection.exchange, let (stream, exchange) = find(proxied) else { return }
        if case .tunnel = exchange.bodyUse { return tunnelTakesMore(stream, proxied) }
        if connection.phase == .busy, case .wait = exchange.bodyUse {
            waitForBody(connection, proxied, stream)
            takeBodyOn(stream, exchange)
        }
    }

    /// The upstream takes nothing more. Why, it may have said before: an early answer. That is read by `lost`, from the
    /// loop and not from here: who wrote may be in the middle of the client's bytes, in the one buffer that all reads share.
    func cannotWrite(_ connection: UpstreamConnection) {
        guard let proxied = connection.exchange else { return close(connection) }
        keepBodyBack(proxied)
        setDeadline(connection, 0)
    }

    /// A connection that nothing can be written to any more. What it said before is read to its end, some in each tick.
    func lost(_ connection: UpstreamConnection, _ proxied: ProxiedExchange, _ failure: TransportError) {
        // Where nothing was sent there is no answer to it.
        let mayHaveMore = proxied.progress.wasSent && readUpstream(connection)
        guard proxied.connection === connection, !connection.isPaused else { return }
        if mayHaveMore { return setDeadline(connection, 0) }
        if connection.phase == .tunnel { return endTunnel(proxied, .upstreamLost) }
        failed(proxied, status: 502, "the upstream closed the connection: \(failure)")
    }
}

/// Bytes on their way from upstream to client.
extension Worker {
    /// - Returns: whether there was something.
    @discardableResult
    func readUpstream(_ connection: UpstreamConnection) -> Bool {
        let isBroken = connection.transport.failure != nil
        let outcome = connection.transport.read(context)
        take(outcome, of: connection, isBroken: isBroken)
        if case .bytes = outcome { return true } else { return false }
    }

    /// - Parameter isBroken: it was known already that nothing can be written any more. That takes nothing from what the
    ///   server has said.
    func take(_ outcome: Transport.ReadOutcome, of connection: UpstreamConnection, isBroken: Bool = false) {
        guard let proxied = connection.exchange else { return close(connection) }
        switch outcome {
        case .nothing: break
        case .bytes where connection.phase == .handshaking:
            return failed(proxied, status: 502, "the upstream spoke before it was asked")
        case .bytes(let count):
            unsafe received(connection, UnsafeRawBufferPointer(rebasing: context.input[..<count]))
            guard proxied.connection === connection, !connection.isPaused else { return }
            if !isBroken, let failure = connection.transport.failure {
                return failed(proxied, status: 502, "the upstream broke the connection: \(failure)")
            }
            if connection.transport.inputEnded { inputEnded(connection, proxied) }
            return
        case .end: return inputEnded(connection, proxied)
        case .failed(let error):
            // The files of certificates may have been renewed.
            if case .tls = error { upstreamTrusts[proxied.target.index]?.forget(at: context.now) }
            return failed(proxied, status: 502, "the upstream broke the connection: \(error)")
        }
        if connection.phase == .handshaking, connection.transport.isEstablished { start(connection, proxied) }
    }

    private func inputEnded(_ connection: UpstreamConnection, _ proxied: ProxiedExchange) {
        if connection.phase == .tunnel { return endTunnel(proxied, .ended) }
        switch connection.parser.endOfInput() {
        case .end(let trailers): responseEnded(connection, proxied, trailers, isClean: false)
        case .failed(let error): failed(proxied, status: 502, "the upstream's answer was cut off: \(error.reason)")
        default: failed(proxied, status: 502, "the upstream closed the connection without an answer")
        }
    }

    private func received(_ connection: UpstreamConnection, _ input: UnsafeRawBufferPointer) {
        guard connection.phase == .busy else {
            if connection.phase == .tunnel, let proxied = connection.exchange {
                unsafe tunnelDown(connection, proxied, input)
            }
            return
        }
        connection.hasSpoken = true
        var offset = 0
        while let proxied = connection.exchange, proxied.connection === connection {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: input[offset...])
            let (event, consumed) = unsafe connection.parser.parse(rest)
            offset += consumed
            // What is moved out of it, and not copied, can be changed in place.
            switch consume event {
            case .needMore: return settle(connection, proxied)
            case .informational(let head): inform(proxied, head)
            case .head(let head) where head.status == 101:
                return unsafe beginTunnel(
                    connection, proxied, head, UnsafeRawBufferPointer(rebasing: input[offset...]))
            case .head(let head): responseBegan(connection, proxied, head)
            case .body(let range):
                unsafe responseBody(connection, proxied, UnsafeRawBufferPointer(rebasing: rest[range]))
            case .end(let trailers):
                return responseEnded(connection, proxied, trailers, isClean: offset == input.count)
            case .failed(let error):
                return failed(proxied, status: 502, "the upstream's answer is no HTTP: \(error.reason)")
            }
        }
    }

    /// Interim answers pass to who can understand them (RFC 9110, section 15.2).
    private func inform(_ proxied: ProxiedExchange, _ head: ResponseHead) {
        guard let (stream, exchange) = find(proxied) else { return }
        if head.status == 100 {
            guard !exchange.bodyEnded, !proxied.progress.bodyWasTaken else { return }
            if let connection = proxied.connection { waitForBody(connection, proxied, stream) }
        }
        guard exchange.head.version != .http10 else { return }
        var head = head
        HopByHop.remove(from: &head.fields)
        stream.value.inform(head, context)
    }

    private func responseBegan(
        _ connection: UpstreamConnection, _ proxied: ProxiedExchange, _ answer: consuming ResponseHead
    ) {
        guard let (stream, exchange) = find(proxied) else { return cancel(proxied) }
        connection.staysOpen = answer.keepAlive
        connection.keepAliveMilliseconds = KeepAliveHint.milliseconds(answer.fields)
        var response = UpstreamResponse(answer, to: exchange.head.version)
        guard response.kind == .ordinary || mayStream(stream, exchange) else {
            exchange.handler = nil
            cancel(proxied)
            return discardBody(stream, exchange)
        }
        if !response.head.fields.has(.date) { response.head.fields.append(.date, date) }
        // The route says who may read the answer; two such fields would be read by nobody.
        if exchange.route.flatMap({ plan.routes[$0].cors }) != nil { CORSPolicy.remove(from: &response.head.fields) }
        addCommonFields(&response.head, exchange)
        if case .untilClose = response.head.body { stream.value.closesAfterResponse = true }
        if exchange.head.expectsContinue, !exchange.bodyEnded, !proxied.progress.bodyWasTaken {
            // The client was not told to go on, so whether its body still comes is unknown.
            stream.value.closesAfterResponse = true
        }
        response.head.keepAlive = !stream.value.closesAfterResponse
        if case .chunked = response.head.body {
            stream.value.framing = stream.value.number == 0 ? .chunked : .untilClose
        } else {
            stream.value.framing = .untilClose
        }
        exchange.wasAnswered = true
        proxied.progress.wasAnswered = true
        proxied.kind = response.kind
        proxied.waitingHead = response.head
        proxied.lastSent = context.now
        watchForSilence(connection, proxied)
    }

    /// Whether a stream may begin; else the request was answered.
    private func mayStream(_ stream: StreamPointer, _ exchange: Exchange) -> Bool {
        guard !isDraining else {
            refuseForLoad(stream, exchange, status: 503, reason: "the gateway is about to stop")
            return false
        }
        return takeSeat(stream, exchange)
    }

    /// How long the upstream may be silent now.
    private func watchForSilence(_ connection: UpstreamConnection, _ proxied: ProxiedExchange) {
        let times = proxied.target.pool.times
        let time = proxied.kind == .ordinary ? times.idle : times.stream
        if time == 0 { connection.timer.at = 0 } else { setDeadline(connection, time) }
    }

    private func responseBody(
        _ connection: UpstreamConnection, _ proxied: ProxiedExchange, _ bytes: UnsafeRawBufferPointer
    ) {
        guard let (stream, exchange) = find(proxied) else { return cancel(proxied) }
        proxied.lastSent = context.now
        let part = proxied.kind == .events ? unsafe pass(bytes, of: proxied) : unsafe bytes
        stream.value.record?.events = proxied.kind == .events ? proxied.boundary.events : nil
        guard unsafe !begin(stream, exchange, proxied, part) else { return }
        unsafe stream.value.writePrivate(part, context)
    }

    /// Bytes of a stream of events, as far as the client gets them.
    private func pass(_ bytes: UnsafeRawBufferPointer, of proxied: ProxiedExchange) -> UnsafeRawBufferPointer {
        let mayBeMark = proxied.beganWithHeartbeat && proxied.boundary.isAtStart
        unsafe proxied.boundary.pass(bytes)
        return unsafe mayBeMark ? EventBoundary.withoutMark(bytes) : bytes
    }

    /// Writes the head that waits, with the first bytes of the body.
    private func begin(
        _ stream: StreamPointer, _ exchange: Exchange, _ proxied: ProxiedExchange,
        _ part: UnsafeRawBufferPointer = unsafe UnsafeRawBufferPointer(start: nil, count: 0), isLast: Bool = false
    ) -> Bool {
        guard let head = proxied.waitingHead else { return false }
        proxied.waitingHead = nil
        unsafe stream.value.begin(head, part: part, isLast: isLast, answering: exchange.head.method, context)
        if proxied.kind != .ordinary { stream.value.logOpen(context) }
        return true
    }

    /// All that came was passed on.
    private func settle(_ connection: UpstreamConnection, _ proxied: ProxiedExchange) {
        guard let (stream, exchange) = find(proxied) else { return cancel(proxied) }
        _ = unsafe begin(stream, exchange, proxied)
        if stream.value.hasFailed { return abandon(stream) }
        guard proxied.progress.wasAnswered else { return }
        watchForSilence(connection, proxied)
        armHeartbeat(stream, proxied)
        pauseIfBlocked(connection, stream)
    }

    func pauseIfBlocked(_ connection: UpstreamConnection, _ stream: StreamPointer) {
        guard stream.value.isBlocked else { return }
        connection.isPaused = true
        connection.transport.setReading(false, context)
        watchIfBlocked(stream)
    }

    /// The client takes bytes again.
    func resume(_ proxied: ProxiedExchange) {
        guard let connection = proxied.connection, connection.isPaused else { return }
        connection.isPaused = false
        if connection.phase == .busy, proxied.progress.wasAnswered { watchForSilence(connection, proxied) }
        do {
            if connection.isUnwatched { try connection.transport.register(.read, context) }
            connection.isUnwatched = false
            connection.transport.setReading(true, context)
        } catch {
            return failed(proxied, status: 502, "the upstream connection cannot be watched: \(error)")
        }
        // An end that was read before the pause is not told again.
        if connection.transport.inputEnded || connection.transport.failure != nil { setDeadline(connection, 0) }
    }

    /// - Parameter isClean: nothing stands behind the answer.
    private func responseEnded(
        _ connection: UpstreamConnection, _ proxied: ProxiedExchange, _ trailers: FieldBlock?, isClean: Bool
    ) {
        proxied.connection = nil
        connection.exchange = nil
        giveBack(proxied, .success)
        if isClean, proxied.hasSentAll, connection.staysOpen, connection.transport.failure == nil,
            !connection.transport.inputEnded
        {
            keep(connection, proxied.target.pool)
        } else {
            close(connection)
        }
        guard let (stream, exchange) = find(proxied) else { return }
        exchange.handler = nil
        beginAndEnd(stream, exchange, proxied, trailers)
        finishIfWritten(stream)
        discardBody(stream, exchange)
    }

    private func beginAndEnd(
        _ stream: StreamPointer, _ exchange: Exchange, _ proxied: ProxiedExchange, _ trailers: FieldBlock?
    ) {
        let isBodiless =
            switch proxied.waitingHead?.body {
            case .some(.none), .length: true
            case .chunked, .untilClose, nil: false
            }
        _ = unsafe begin(stream, exchange, proxied, isLast: isBodiless)
        if !isBodiless { stream.value.endBody(trailers: trailers, context) }
    }

    /// The upstream is lost in the middle of its answer. The client sees that, or gets what the route has for it.
    func breakOff(_ proxied: ProxiedExchange, _ reason: EndReason) {
        guard let (stream, exchange) = find(proxied) else { return }
        stream.value.record?.ends(reason)
        exchange.handler = nil
        exchange.bodyUse = .discard
        _ = unsafe begin(stream, exchange, proxied)
        let lastWords = proxied.target.lastWords
        guard proxied.kind == .events, !lastWords.isEmpty, proxied.boundary.isBetweenEvents else {
            return finishStream(stream, isAborted: true)
        }
        stream.value.writePrivate(lastWords, context)
        finishStream(stream)
    }
}
