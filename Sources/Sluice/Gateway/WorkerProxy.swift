internal import Logging
internal import SluiceHTTP
internal import SluiceIO

/// Requests that are passed on: the choice of a server, further attempts, and what is answered when none serves them.
extension Worker {
    func proxy(_ stream: StreamPointer, _ exchange: Exchange, _ target: PlannedProxy) {
        // An application's echo would show credentials that the gateway added.
        guard exchange.head.method != .trace else {
            return respond(stream, exchange, status: 501, text: "TRACE is not passed on")
        }
        guard let path = exchange.path, !path.hidesDotSegments else {
            return respond(stream, exchange, status: 400, text: "the path can be read in more than one way")
        }
        let connection = stream.value.connection
        let peer = connection.value.peer.ip
        let hop = ForwardedHop(
            peer: peer?.description, isTrusted: peer.map { isTrusted($0) } ?? false,
            isSecure: connection.value.transport.isSecure)
        let route = exchange.route.map { plan.routes[$0] }
        var head = exchange.head
        route?.rewrite?.apply(to: &head, mergesSlashes: plan.table.mergesSlashes)
        var request = UpstreamRequest(
            consume head, from: hop, saying: target.pool.options.forwarded, upgrades: target.upgrades,
            isResolved: path.isAsWritten || route?.rewrite != nil)
        if route?.showsRequestID ?? plan.configuration.requestID {
            request.name(exchange.requestID, traceparent: exchange.trace.text)
            stream.value.record?.trace = exchange.trace
        }
        if let edits = route?.requestHeaders { request.apply(edits) }
        let hash = target.pool.options.hash.flatMap { HashKey.of(exchange.head, $0, client: client(of: stream)) }
        let proxied = ProxiedExchange(stream: stream.value.token, target: target, request: consume request, hash: hash)
        exchange.handler = ProxyLink(proxied, self)
        // Nothing of the body is taken before somebody takes it.
        if !exchange.bodyEnded { exchange.bodyUse = .wait }
        stream.value.timer.at = 0
        stream.value.record?.upstream = target.pool.name
        attempt(proxied)
    }

    func isTrusted(_ address: IPAddress) -> Bool { plan.trustedProxies.contains { $0.contains(address) } }

    /// The stream and exchange that a proxied request still is for.
    func find(_ proxied: ProxiedExchange) -> (StreamPointer, Exchange)? {
        guard let stream = streams.find(proxied.stream), !stream.value.isOver,
            !stream.value.connection.value.isDoomed, let exchange = stream.value.exchange,
            (exchange.handler as? ProxyLink)?.proxied === proxied
        else { return nil }
        return (stream, exchange)
    }

    // MARK: Attempts

    private func attempt(_ proxied: ProxiedExchange) {
        let outcome = proxied.target.pool.lease(
            hash: proxied.hash, avoiding: proxied.tried, worker: index, ticket: proxied.stream.packed(.stream),
            mayWait: true, now: context.now)
        proceed(proxied, outcome)
    }

    private func proceed(_ proxied: ProxiedExchange, _ outcome: LeaseOutcome) {
        switch outcome {
        case .granted(let lease): connect(proxied, lease)
        case .waiting:
            proxied.isWaiting = true
            guard let (stream, _) = find(proxied) else { return }
            setDeadline(stream, proxied.target.pool.times.queue)
        case .full: refuseProxied(proxied, 503, "too many requests wait for the upstream")
        case .down: refuseProxied(proxied, 503, "no server of the upstream is up")
        case .unresolved: refuseProxied(proxied, 503, "no address of the upstream is known")
        }
    }

    /// A place at a server came free for one who waited, or it is known that none will.
    func granted(_ grant: Grant, of pool: UpstreamPool) {
        let (_, token) = Token.unpack(grant.ticket)
        guard let stream = streams.find(token), !stream.value.isOver, !stream.value.connection.value.isDoomed,
            let exchange = stream.value.exchange,
            let proxied = (exchange.handler as? ProxyLink)?.proxied, proxied.isWaiting, proxied.target.pool === pool
        else {
            if let lease = grant.lease { settle(pool.giveBack(lease, .neutral, now: context.now), of: pool) }
            return
        }
        proxied.isWaiting = false
        stream.value.timer.at = 0
        proceed(proxied, grant.outcome)
    }

    func giveBack(_ proxied: ProxiedExchange, _ outcome: ExchangeOutcome) {
        guard let lease = proxied.lease else { return }
        proxied.lease = nil
        let pool = proxied.target.pool
        settle(pool.giveBack(lease, outcome, now: context.now), of: pool)
        if outcome == .failure { watchEjections(proxied.target.index) }
    }

    /// The server did not serve the request. Another attempt is made where that can do no harm.
    func failed(_ proxied: ProxiedExchange, status: UInt16, _ reason: String, _ outcome: ExchangeOutcome = .failure) {
        // A connection that was kept too long says nothing about its server.
        let isStale = proxied.connection?.isStale == true && status == 502
        let isRepeated =
            !proxied.progress.wasAnswered && find(proxied) != nil
            && proxied.retries.mayRetry(after: proxied.progress, isFree: isStale)
        logger.log(
            level: isStale && isRepeated ? .debug : .notice, "upstream failed",
            metadata: [
                "upstream": "\(proxied.target.pool.name)", "server": "\(proxied.lease.map { "\($0.address)" } ?? "-")",
                "reason": "\(reason)", "method": "\(proxied.request.head.method.name)",
                "retried": isRepeated ? "yes" : "no",
            ])
        drop(proxied)
        if let endpoint = proxied.lease?.endpoint, !isStale { proxied.tried.append(endpoint) }
        giveBack(proxied, isStale ? .neutral : outcome)
        guard !proxied.progress.wasAnswered else {
            return breakOff(proxied, status == 504 ? .upstreamTimeout : .upstreamLost)
        }
        guard find(proxied) != nil else { return }
        guard isRepeated else { return refuseProxied(proxied, status, reason) }
        proxied.progress.wasSent = false
        proxied.hasSentAll = false
        proxied.isRetry = true
        keepBodyBack(proxied)
        attempt(proxied)
    }

    /// What is left of the request's body stays unread until a server takes it: nothing of it may come before its head.
    func keepBodyBack(_ proxied: ProxiedExchange) {
        guard let (stream, exchange) = find(proxied), !exchange.bodyEnded else { return }
        exchange.bodyUse = .wait
        if !proxied.progress.wasAnswered { stream.value.timer.at = 0 }
    }

    /// Closes the upstream connection of an exchange that does not end as it should.
    func drop(_ proxied: ProxiedExchange) {
        guard let connection = proxied.connection else { return }
        proxied.connection = nil
        connection.exchange = nil
        close(connection)
    }

    func refuseProxied(_ proxied: ProxiedExchange, _ status: UInt16, _ reason: String) {
        guard let (stream, exchange) = find(proxied) else { return }
        exchange.handler = nil
        exchange.bodyUse = .discard
        if !exchange.bodyEnded { stream.value.closesAfterResponse = true }
        if status == 503 { exchange.commonFields.append(.retryAfter, "5") }
        stream.value.record?.ends(Self.endReason(status))
        respond(stream, exchange, status: status, text: reason)
        discardBody(stream, exchange)
    }

    private static func endReason(_ status: UInt16) -> EndReason {
        switch status {
        case 502: .upstreamLost
        case 504: .upstreamTimeout
        default: .refused
        }
    }

    /// What comes of a body that nobody wants any more is thrown away, and so is what waits of it.
    func discardBody(_ stream: StreamPointer, _ exchange: Exchange) {
        guard !exchange.bodyEnded else { return }
        exchange.bodyUse = .discard
        releaseUnread(stream)
    }

    // MARK: The client's side

    /// The client left: nobody waits for the answer any more.
    func cancel(_ proxied: ProxiedExchange) {
        if proxied.isWaiting {
            proxied.isWaiting = false
            proxied.target.pool.cancelWait(worker: index, ticket: proxied.stream.packed(.stream))
        }
        drop(proxied)
        giveBack(proxied, .neutral)
    }

    /// The body is larger than the route allows, which its length did not say.
    func refuseBody(_ proxied: ProxiedExchange) {
        guard let (stream, exchange) = find(proxied) else { return }
        cancel(proxied)
        guard !proxied.progress.wasAnswered else { return abandon(stream) }
        refuseProxied(proxied, 413, "the body is larger than \(exchange.bodyLimit) bytes")
    }

    func queueTimeout(_ proxied: ProxiedExchange) {
        guard proxied.isWaiting else { return }
        proxied.isWaiting = false
        proxied.target.pool.cancelWait(worker: index, ticket: proxied.stream.packed(.stream))
        refuseProxied(proxied, 503, "no server of the upstream was free in time")
    }
}

/// What a stream tells the request that is passed on.
final class ProxyLink: HandlerExchange {
    let proxied: ProxiedExchange
    private unowned let worker: Worker

    init(_ proxied: ProxiedExchange, _ worker: Worker) {
        self.proxied = proxied
        self.worker = worker
    }

    var endsWithClient: Bool { true }
    func clientLeft() { worker.cancel(proxied) }
    func bodyPart(_ bytes: UnsafeRawBufferPointer) { unsafe worker.relayBody(proxied, bytes) }
    func bodyArrived(_ bytes: [UInt8]) { worker.relayBodyEnd(proxied) }
    func bodyTooLarge() { worker.refuseBody(proxied) }
    func becameWritable() { worker.resume(proxied) }
    func deadlinePassed() { worker.proxiedDeadline(proxied) }
    func drain() { worker.drain(proxied) }
}
