internal import Logging
internal import SluiceHTTP
internal import SluiceIO
internal import SluiceTLS

/// The life of an upstream connection: connecting, TLS, keeping it for the next request, closing.
extension Worker {
    /// A server was chosen: a kept connection to it is taken, or one is begun.
    func connect(_ proxied: ProxiedExchange, _ lease: Lease) {
        proxied.lease = lease
        let place = UpstreamPlace(pool: proxied.target.index, endpoint: lease.endpoint)
        if !proxied.isRetry, let kept = takeIdle(place) {
            kept.isReused = true
            return start(kept, proxied)
        }
        do {
            let token = upstreams.nextToken
            let transport = Transport(try Socket.connecting(to: lease.address), selectorToken: token.packed(.upstream))
            let connection = UpstreamConnection(
                transport, token: token, place: place, siblings: siblings[place] ?? Siblings(),
                limits: plan.upstreamHTTPLimits)
            connection.siblings.count += 1
            siblings[place] = connection.siblings
            upstreams.insert(connection)
            try connection.transport.register([.read, .write], context)
            proxied.connection = connection
            connection.exchange = proxied
            setDeadline(connection, proxied.target.pool.times.connect)
        } catch {
            // That it is the gateway which has no descriptor left is not the server's fault.
            let isOurs = error.isExhaustion
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
            // What is there is read when its turn comes; until then the end would be told in every tick.
            if !events.isDisjoint(with: .ends), !connection.isUnwatched {
                connection.isUnwatched = true
                connection.transport.deregister(context)
            }
            return
        }
        readUpstream(connection)
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

    private func takeIdle(_ place: UpstreamPlace) -> UpstreamConnection? {
        guard let siblings = siblings[place] else { return nil }
        while let token = siblings.idle.popLast() {
            // The youngest first: the others can grow old.
            if let connection = upstreams.find(token)?.value, connection.phase == .idle { return connection }
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
        if connection.phase == .busy, !connection.isPaused, let failure = connection.transport.failure {
            return lost(connection, proxied, failure)
        }
        switch connection.phase {
        case .connecting, .handshaking: failed(proxied, status: 504, "connecting to the upstream took too long")
        case .busy where connection.isPaused: connection.timer.at = 0
        case .busy where !proxied.progress.wasAnswered:
            failed(
                proxied, status: 504,
                proxied.hasSentAll
                    ? "the upstream did not answer in time" : "the upstream did not take the request in time")
        case .busy: failed(proxied, status: 504, "the upstream sent nothing for too long")
        case .tunnel: endTunnel(proxied)
        case .idle: close(connection)
        }
    }
}
