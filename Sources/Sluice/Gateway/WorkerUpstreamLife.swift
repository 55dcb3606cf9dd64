internal import Logging
internal import SluiceHTTP
internal import SluiceIO
internal import SluiceTLS

/// The life of an upstream connection: connecting, TLS, keeping it for the next request, closing.
extension Worker {
    /// A server was chosen: a kept connection to it is taken, or one is begun.
    func connect(_ proxied: ProxiedExchange, _ lease: Lease) {
        proxied.lease = lease
        if context.access != nil, let (stream, _) = find(proxied) { stream.value.record?.server = lease.address }
        let place = UpstreamPlace(pool: proxied.target.index, endpoint: lease.endpoint)
        if !proxied.isRetry, let kept = takeIdle(place, mustBeQuiet: !proxied.retries.isIdempotent) {
            kept.isReused = true
            return start(kept, proxied)
        }
        do throws(Errno) {
            let token = upstreams.nextToken
            let transport = Transport(try Socket.connecting(to: lease.address), selectorToken: token.packed(.upstream))
            transport.setServerOptions(writeTimeout: proxied.target.pool.times.idle)
            let connection = UpstreamConnection(
                transport, token: token, place: place, siblings: siblings[place] ?? Siblings(),
                limits: plan.upstreamHTTPLimits)
            try connection.transport.register([.read, .write], context)
            upstreams.insert(connection)
            connection.siblings.count += 1
            siblings[place] = connection.siblings
            proxied.connection = connection
            connection.exchange = proxied
            setDeadline(connection, proxied.target.pool.times.connect)
        } catch {
            // That it is the gateway which has no descriptor or port left is not the server's fault.
            let isOurs = error.isOfThisMachine
            failed(
                proxied, status: isOurs ? 503 : 502, "the upstream cannot be connected to: \(error)",
                isOurs ? .neutral : .failure)
        }
    }

    func upstreamReady(_ token: Token, _ events: Selector.Events) {
        guard let connection = upstreams.find(token)?.value else { return }
        if connection.phase == .connecting {
            guard let proxied = connection.exchange else { return close(connection) }
            if let error = connection.transport.connectError {
                return failed(proxied, status: 502, "the upstream cannot be connected to: \(error)")
            }
            if events.contains(.write) { connected(connection, proxied) }
            return
        }
        if events.contains(.write) { becameWritable(connection) }
        guard upstreams.find(token) != nil else { return }
        guard events.contains(.read) || !events.isDisjoint(with: .ends) else { return }
        guard !connection.isPaused else {
            return hungUpUnread(connection, events)
        }
        readUpstream(connection)
    }

    /// What is there is read when its turn comes; until then the end would be told in every tick.
    private func hungUpUnread(_ connection: UpstreamConnection, _ events: Selector.Events) {
        if events.isDisjoint(with: [.hangup, .error]) {
            // Its end alone: it may still take what there is of the request.
            if events.contains(.readHangup) { connection.transport.muteReadHangup(context) }
        } else if !connection.isUnwatched {
            connection.isUnwatched = true
            connection.transport.deregister(context)
        }
    }

    private func connected(_ connection: UpstreamConnection, _ proxied: ProxiedExchange) {
        let server = proxied.target.pool.servers[proxied.lease?.server ?? 0]
        guard server.isSecure else { return start(connection, proxied) }
        do throws(TLSError) {
            let tls = try trust(of: proxied.target).context(isForeign: false)
            connection.transport.secure(
                by: try TLSSession(
                    connecting: tls, serverName: proxied.target.pool.options.tls.serverName ?? server.host,
                    pipe: context.pipe))
        } catch {
            return failed(proxied, status: 502, "no TLS to the upstream: \(error)")
        }
        connection.phase = .handshaking
        take(connection.transport.startHandshake(context), of: connection)
    }

    private func trust(of target: PlannedProxy) -> StreamTrust {
        if let trust = upstreamTrusts[target.index] { return trust }
        let tls = target.pool.options.tls
        let trust = StreamTrust(authorities: tls.certificateAuthority, client: tls.clientCertificate)
        upstreamTrusts[target.index] = trust
        return trust
    }

    // MARK: Keeping

    /// - Parameter mustBeQuiet: for a request that cannot be sent twice. A server that closed the connection, of which
    ///   this tick's events have not told yet, would cost it.
    private func takeIdle(_ place: UpstreamPlace, mustBeQuiet: Bool) -> UpstreamConnection? {
        guard let siblings = siblings[place] else { return nil }
        while let token = siblings.idle.popLast() {
            // The youngest first: the others can grow old.
            guard let connection = upstreams.find(token)?.value, connection.phase == .idle else { continue }
            if !mustBeQuiet || !connection.transport.hasInput { return connection }
            close(connection)
        }
        return nil
    }

    /// The exchange is over and the connection may serve another.
    func keep(_ connection: UpstreamConnection, _ pool: UpstreamPool) {
        connection.exchange = nil
        guard !isDraining, connection.siblings.idle.count < pool.options.keepAlive.connections else {
            return close(connection)
        }
        connection.phase = .idle
        connection.siblings.idle.append(connection.token)
        let time = min(pool.times.kept, connection.keepAliveMilliseconds ?? .max)
        guard time > 0 else { return close(connection) }
        setDeadline(connection, time)
    }

    func close(_ connection: UpstreamConnection) {
        guard upstreams.find(connection.token)?.value === connection else { return }
        let siblings = connection.siblings
        if connection.phase == .idle { siblings.idle.removeAll { $0 == connection.token } }
        siblings.count -= 1
        if siblings.count == 0 { self.siblings[connection.place] = nil }
        if let timer = connection.timer.timer { loop.timers.cancel(timer) }
        connection.transport.sayGoodbye(context)
        connection.transport.deregister(context)
        upstreams.remove(connection.token)
    }

    // MARK: Deadlines

    func setDeadline(_ connection: UpstreamConnection, _ milliseconds: UInt64) {
        set(&connection.timer, context.now &+ milliseconds, connection.token.packed(.upstream))
    }

    func upstreamTimer(_ token: Token) {
        guard let connection = upstreams.find(token)?.value else { return }
        connection.timer.timer = nil
        let deadline = connection.timer.at
        guard deadline != 0 else { return }
        guard deadline <= context.now else {
            return arm(&connection.timer, deadline, token.packed(.upstream))
        }
        guard let proxied = connection.exchange else { return close(connection) }
        if connection.phase == .busy || connection.phase == .tunnel, !connection.isPaused {
            if connection.transport.inputEnded { return take(.end, of: connection) }
            if let failure = connection.transport.failure { return lost(connection, proxied, failure) }
        }
        switch connection.phase {
        case .connecting, .handshaking: failed(proxied, status: 504, "connecting to the upstream took too long")
        case .busy where connection.isPaused: connection.timer.at = 0
        case .busy where !proxied.hasSentAll && isTaking(connection, proxied): break
        case .busy where !proxied.progress.wasAnswered:
            failed(
                proxied, status: 504,
                proxied.hasSentAll
                    ? "the upstream did not answer in time" : "the upstream did not take the request in time")
        case .busy: failed(proxied, status: 504, "the upstream sent nothing for too long")
        // What the upstream said waits for the client, whose own time counts.
        case .tunnel where connection.isPaused && connection.transport.failure != nil: connection.timer.at = 0
        case .tunnel: endTunnel(proxied, .idle)
        case .idle: close(connection)
        }
    }

    /// A server that takes some of a body, however slowly, is well; its time counts from the last that it took.
    private func isTaking(_ connection: UpstreamConnection, _ proxied: ProxiedExchange) -> Bool {
        guard connection.transport.isBlocked, !proxied.progress.wasAnswered else { return false }
        let time = proxied.target.pool.times.idle
        guard connection.transport.blockedSince &+ time > context.now || connection.transport.isTaking(context) else {
            return false
        }
        setDeadline(connection, connection.transport.blockedSince &+ time &- context.now)
        return true
    }
}
