internal import Logging
internal import SluiceHTTP
internal import SluiceIO
internal import SluiceTLS

/// The life of a connection: reading, phases, deadlines, closing.
extension Worker {
    typealias ConnectionPointer = Place<Connection>

    func connectionReady(_ token: Token, _ events: Selector.Events) {
        guard let connection = connections.find(token), !connection.value.isDoomed else { return }
        if events.contains(.error) { return doom(connection) }
        if events.contains(.write) { becameWritable(connection) }
        if connection.value.isDoomed { return }
        if connection.value.phase == .streaming, events.contains(.readHangup) {
            // The client left, or half-closed: nobody waits for a stream's end after that.
            return doom(connection)
        }
        if events.contains(.hangup) { return doom(connection) }
        guard connection.value.transport.isReading else {
            // Input is paused: what waits, and the end behind it, is read when its turn comes.
            if events.contains(.readHangup) { hungUpUnread(connection) }
            return
        }
        if events.contains(.read) || events.contains(.readHangup) { read(connection) }
    }

    private func becameWritable(_ connection: ConnectionPointer) {
        guard connection.value.transport.becameWritable(context) else {
            if connection.value.transport.failure != nil { doom(connection) }
            return
        }
        if let subscriber = connection.value.subscriber { shard.resume(subscriber) }
        connection.value.exchange?.handler?.becameWritable()
        finishIfWritten(connection)
    }

    private func hungUpUnread(_ connection: ConnectionPointer) {
        if let exchange = connection.value.exchange, exchange.wasAnswered, exchange.handler != nil {
            return doom(connection)
        }
        connection.value.transport.muteReadHangup(context)
    }

    // MARK: Reading

    func read(_ connection: ConnectionPointer) {
        switch connection.value.transport.read(context) {
        case .nothing: break
        case .bytes(let count):
            unsafe received(connection, UnsafeRawBufferPointer(rebasing: context.input[..<count]))
            if connection.value.transport.inputEnded { inputEnded(connection) }
        case .end: inputEnded(connection)
        case .failed(let error):
            readFailed(connection, error)
            return
        }
        if connection.value.transport.failure != nil { doom(connection) }
    }

    private func readFailed(_ connection: ConnectionPointer, _ error: TransportError) {
        if case .tls(let tls) = error {
            context.counters.tlsFailures &+= 1
            logger.debug(
                "TLS failed", metadata: ["peer": "\(connection.value.peer)", "reason": "\(error)"])
            if tls.isPlainHTTP { answerPlainHTTP(connection) }
        }
        doom(connection)
    }

    /// The client ended its side. What it asked for before is still answered; a stream nobody reads is not.
    private func inputEnded(_ connection: ConnectionPointer) {
        switch connection.value.phase {
        case .idle, .head, .streaming, .lingering: doom(connection)
        case .exchange:
            let exchange = connection.value.exchange
            let streams = exchange?.wasAnswered == true && exchange?.handler != nil
            if streams || exchange?.bodyEnded == false { return doom(connection) }
            connection.value.closesAfterResponse = true
            connection.value.transport.muteReadHangup(context)
        }
    }

    private func received(_ connection: ConnectionPointer, _ bytes: UnsafeRawBufferPointer) {
        switch connection.value.phase {
        case .idle, .head: unsafe parse(connection, bytes)
        case .exchange:
            if let exchange = connection.value.exchange, !exchange.bodyEnded, connection.value.held.isEmpty {
                unsafe parse(connection, bytes)
            } else {
                unsafe hold(connection, bytes)
            }
        case .streaming:
            // A stream's client has nothing more to say. One buffer of it is thrown away, then nobody listens.
            connection.value.transport.setReading(false, context)
        case .lingering: break
        }
    }

    /// Keeps input that comes too early, and stops reading when that is one buffer full.
    func hold(_ connection: ConnectionPointer, _ bytes: UnsafeRawBufferPointer) {
        unsafe connection.value.held.append(bytes)
        if connection.value.held.count >= LoopContext.readSize {
            connection.value.transport.setReading(false, context)
        }
    }

    private func parse(_ connection: ConnectionPointer, _ input: UnsafeRawBufferPointer) {
        var offset = 0
        while !connection.value.isDoomed {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: input[offset...])
            if !wantsInput(connection) {
                if unsafe !rest.isEmpty, connection.value.phase == .exchange { unsafe hold(connection, rest) }
                return
            }
            guard let (event, consumed) = unsafe connection.value.parser?.parse(rest) else { return }
            offset += consumed
            switch event {
            case .needMore: return headBegan(connection)
            case .head(let head): begin(connection, head)
            case .body(let range): unsafe bodyPart(connection, UnsafeRawBufferPointer(rebasing: rest[range]))
            case .end: bodyEnded(connection)
            case .failed(let error): return refuse(connection, error)
            }
        }
    }

    /// Whether the parser may go on: not into the next request while one is being served.
    private func wantsInput(_ connection: ConnectionPointer) -> Bool {
        switch connection.value.phase {
        case .idle, .head: return true
        case .streaming, .lingering: return false
        case .exchange:
            guard let exchange = connection.value.exchange, !exchange.bodyEnded else { return false }
            if case .wait = exchange.bodyUse { return false }
            return true
        }
    }

    private func headBegan(_ connection: ConnectionPointer) {
        guard connection.value.phase == .idle, connection.value.parser?.isIdle == false else { return }
        connection.value.phase = .head
        setDeadline(connection, plan.limits.requestHeadTimeout.milliseconds)
    }

    // MARK: Between two requests

    /// The response has been written: when it has left, the next request's turn comes, or the connection ends.
    func finishIfWritten(_ connection: ConnectionPointer) {
        guard connection.value.isFinishing, !connection.value.isDoomed else { return }
        if connection.value.transport.failure != nil { return doom(connection) }
        guard !connection.value.transport.isBlocked else {
            return setDeadline(connection, plan.limits.writeTimeout.milliseconds)
        }
        let exchange = connection.value.exchange
        if exchange?.bodyEnded == false, !connection.value.closesAfterResponse {
            // The rest of the body is read and thrown away first, lest it become the next request.
            return setDeadline(connection, plan.limits.requestHeadTimeout.milliseconds)
        }
        connection.value.isFinishing = false
        connection.value.exchange = nil
        if connection.value.closesAfterResponse || isDraining { return linger(connection) }
        connection.value.phase = .idle
        if connection.value.parser == nil {
            connection.value.parser = RequestParser(limits: plan.httpLimits)
        }
        connection.value.transport.setReading(true, context)
        setDeadline(connection, plan.limits.keepAlive.milliseconds)
        releaseHeld(connection)
    }

    /// Goes on with input that had to wait.
    func releaseHeld(_ connection: ConnectionPointer) {
        guard !connection.value.held.isEmpty else { return }
        var held = ByteQueue()
        swap(&held, &connection.value.held)
        unsafe held.withBytes { unsafe parse(connection, $0) }
        if connection.value.held.count < LoopContext.readSize, connection.value.phase != .streaming {
            connection.value.transport.setReading(true, context)
        }
    }

    /// Ends this side and waits a little for the client to end its own: a close while bytes of it are on their way would
    /// make the system reset the connection and take the answer with it (RFC 9112, section 9.6).
    func linger(_ connection: ConnectionPointer) {
        connection.value.phase = .lingering
        connection.value.held = ByteQueue()
        connection.value.transport.shutdown(context)
        if connection.value.transport.inputEnded { return doom(connection) }
        connection.value.transport.setReading(true, context)
        setDeadline(connection, Worker.lingerMilliseconds)
    }

    // MARK: Deadlines

    func setDeadline(_ connection: ConnectionPointer, _ milliseconds: UInt64) {
        let deadline = context.now &+ milliseconds
        connection.value.deadline = deadline
        arm(connection, deadline)
    }

    /// Sees to it that the timer fires not later than `at`.
    func arm(_ connection: ConnectionPointer, _ at: UInt64) {
        if let timer = connection.value.timer {
            if connection.value.timerAt <= at { return }
            loop.timers.cancel(timer)
        }
        connection.value.timerAt = at
        connection.value.timer = loop.timers.schedule(
            atMilliseconds: at, token: connection.value.token.packed(.connection))
    }

    func connectionTimer(_ token: Token) {
        guard let connection = connections.find(token), !connection.value.isDoomed else { return }
        connection.value.timer = nil
        let now = context.now
        if connection.value.transport.isBlocked {
            let timeout = plan.limits.writeTimeout.milliseconds
            if connection.value.transport.blockedSince &+ timeout <= now, !connection.value.transport.isTaking(context)
            {
                context.counters.endedWriteTimeout &+= 1
                logger.notice("write timeout: the client took nothing", metadata: ["peer": "\(connection.value.peer)"])
                connection.value.transport.resetOnClose()
                return doom(connection)
            }
            arm(connection, connection.value.transport.blockedSince &+ timeout)
        }
        if connection.value.phase == .streaming {
            // Without heartbeats the timer still comes round to see whether the client takes anything.
            let next = connection.value.subscriber.flatMap(shard.heartbeat)
            arm(connection, next ?? now &+ plan.limits.writeTimeout.milliseconds)
            if connection.value.transport.failure != nil { doom(connection) }
            return
        }
        let deadline = connection.value.deadline
        guard deadline != 0 else { return }
        if deadline > now { return arm(connection, deadline) }
        deadlinePassed(connection)
    }

    private func deadlinePassed(_ connection: ConnectionPointer) {
        switch connection.value.phase {
        case .head:
            context.counters.headTimeouts &+= 1
            refuse(connection, HTTPError(status: 408, reason: "the request head did not arrive in time"))
        case .exchange:
            guard let exchange = connection.value.exchange, !exchange.bodyEnded else { return }
            if case .wait = exchange.bodyUse { return }
            if exchange.wasAnswered { return doom(connection) }
            refuse(connection, HTTPError(status: 408, reason: "the request body did not arrive in time"))
        case .idle, .lingering, .streaming: doom(connection)
        }
    }

    // MARK: Ending

    /// Marks a connection to be closed at the end of the tick: nothing that is being walked changes under its walker.
    func doom(_ connection: ConnectionPointer) {
        guard !connection.value.isDoomed else { return }
        connection.value.isDoomed = true
        doomed.append(connection.value.token)
    }

    func closeDoomed() {
        while let token = doomed.popLast() {
            guard let connection = connections.find(token) else { continue }
            if let subscriber = connection.value.subscriber { shard.unsubscribe(subscriber) }
            connection.value.exchange?.handler?.clientLeft()
            if let timer = connection.value.timer { loop.timers.cancel(timer) }
            if let address = connection.value.countedAddress { plan.ledger.uncount(address) }
            connection.value.transport.sayGoodbye(context)
            connection.value.transport.deregister(context)
            plan.ledger.closed()
            connections.remove(token)
        }
    }
}
