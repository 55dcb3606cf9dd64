internal import SluiceHTTP
internal import SluiceIO

/// What a request that is passed on has beside its answer: heartbeats, a change of protocols, the gateway's stop.
extension Worker {
    // MARK: Heartbeats

    func armHeartbeat(_ stream: StreamPointer, _ proxied: ProxiedExchange) {
        guard proxied.kind == .events, proxied.target.heartbeat > 0 else { return }
        stream.value.timer.at = proxied.lastSent &+ proxied.target.heartbeat
        arm(stream, stream.value.timer.at)
    }

    /// The stream's timer fired: somebody waits for a server for too long, or it is time for a heartbeat.
    func proxiedDeadline(_ proxied: ProxiedExchange) {
        if proxied.isWaiting { return queueTimeout(proxied) }
        guard let (stream, exchange) = find(proxied) else { return }
        guard proxied.progress.wasAnswered else {
            guard !exchange.bodyEnded, case .relay = exchange.bodyUse else { return }
            return refuse(stream, HTTPError(status: 408, reason: "the request body did not arrive in time"))
        }
        guard proxied.kind == .events, proxied.target.heartbeat > 0 else { return }
        if context.now &- proxied.lastSent >= proxied.target.heartbeat, proxied.boundary.isBetweenEvents,
            !stream.value.isBlocked
        {
            stream.value.writePrivate(Array(": \n".utf8), context)
            proxied.lastSent = context.now
            if proxied.boundary.isAtStart { proxied.beganWithHeartbeat = true }
            if stream.value.hasFailed { return abandon(stream) }
        }
        stream.value.timer.at = max(proxied.lastSent, context.now) &+ proxied.target.heartbeat
        arm(stream, stream.value.timer.at)
    }

    /// The gateway stops. Streams have no end to wait for.
    func drain(_ proxied: ProxiedExchange) {
        if proxied.connection?.phase == .tunnel { return endTunnel(proxied, .drained) }
        guard proxied.progress.wasAnswered, proxied.kind != .ordinary, let (stream, exchange) = find(proxied) else {
            return
        }
        exchange.handler = nil
        cancel(proxied)
        stream.value.record?.ends(.drained)
        finishStream(stream, isAborted: true)
    }

    // MARK: Tunnels

    /// The upstream changes protocols (RFC 9110, section 7.8): from here on bytes pass as they come.
    func beginTunnel(
        _ connection: UpstreamConnection, _ proxied: ProxiedExchange, _ answer: ResponseHead,
        _ rest: UnsafeRawBufferPointer
    ) {
        guard let (stream, exchange) = find(proxied) else { return cancel(proxied) }
        guard proxied.request.upgrade != nil, stream.value.number == 0, exchange.bodyEnded else {
            return failed(proxied, status: 502, "the upstream changed to a protocol that nobody asked for")
        }
        var head = answer
        let upgrade = head.fields.first(.upgrade).map { Array($0) }
        HopByHop.remove(from: &head.fields)
        if let upgrade { head.fields.append(.upgrade, upgrade) }
        addCommonFields(&head, exchange)
        head.keepAlive = true
        head.version = .http11
        exchange.wasAnswered = true
        exchange.bodyUse = .tunnel
        proxied.progress.wasAnswered = true
        connection.phase = .tunnel
        stream.value.closesAfterResponse = true
        stream.value.framing = .untilClose
        stream.value.begin(head, body: unsafe Array(rest), context)
        stream.value.logOpen(context)
        passedBytes(connection, proxied)
        pauseIfBlocked(connection, stream)
        let downstream = stream.value.connection
        guard !downstream.value.held.isEmpty else { return }
        var held = ByteQueue()
        swap(&held, &downstream.value.held)
        unsafe held.withBytes { unsafe tunnelUp(stream, $0) }
        downstream.value.transport.setReading(!connection.transport.isBlocked, context)
    }

    private func passedBytes(_ connection: UpstreamConnection, _ proxied: ProxiedExchange) {
        let times = proxied.target.pool.times
        let time = proxied.clientEnded ? times.idle : times.tunnel
        if time == 0 { connection.timer.at = 0 } else { setDeadline(connection, time) }
    }

    /// From the client to the upstream.
    func tunnelUp(_ stream: StreamPointer, _ bytes: UnsafeRawBufferPointer) {
        guard let proxied = (stream.value.exchange?.handler as? ProxyLink)?.proxied,
            let connection = proxied.connection
        else { return }
        unsafe connection.transport.writeAll(bytes, context)
        passedBytes(connection, proxied)
        guard connection.transport.isBlocked || connection.transport.failure != nil else { return }
        stream.value.connection.value.transport.setReading(false, context)
        // What the upstream said before is still the client's.
        if connection.transport.failure != nil { cannotWrite(connection) }
    }

    /// The upstream has taken all that there was for it.
    func tunnelTakesMore(_ stream: StreamPointer, _ proxied: ProxiedExchange) {
        if proxied.clientEnded { return endTunnel(proxied, .clientLeft) }
        stream.value.connection.value.transport.setReading(true, context)
    }

    /// The client ended its side. What it sent before still reaches the upstream; then both sides are ended.
    func tunnelClientEnded(_ stream: StreamPointer, _ proxied: ProxiedExchange) {
        guard let connection = proxied.connection, connection.transport.failure == nil else {
            return endTunnel(proxied, .clientLeft)
        }
        guard connection.transport.isBlocked else { return endTunnel(proxied, .clientLeft) }
        proxied.clientEnded = true
        stream.value.connection.value.transport.muteReadHangup(context)
        passedBytes(connection, proxied)
    }

    /// From the upstream to the client.
    func tunnelDown(_ connection: UpstreamConnection, _ proxied: ProxiedExchange, _ bytes: UnsafeRawBufferPointer) {
        guard let (stream, _) = find(proxied) else { return cancel(proxied) }
        passedBytes(connection, proxied)
        unsafe stream.value.writePrivate(bytes, context)
        if stream.value.hasFailed { return abandon(stream) }
        pauseIfBlocked(connection, stream)
    }

    /// One side is done, or nothing passed for too long.
    func endTunnel(_ proxied: ProxiedExchange, _ reason: EndReason) {
        drop(proxied)
        giveBack(proxied, .success)
        guard let (stream, exchange) = find(proxied) else { return }
        stream.value.record?.ends(reason)
        exchange.handler = nil
        finishStream(stream)
    }
}
