internal import Logging
internal import SluiceHTTP
internal import SluiceIO
internal import SluiceTLS

/// The life of a connection: reading, the choice of its protocol, deadlines, closing.
extension Worker {
    typealias ConnectionPointer = Place<Connection>

    func connectionReady(_ token: Token, _ events: Selector.Events) {
        guard let connection = connections.find(token), !connection.value.isDoomed else { return }
        if events.contains(.error) { return doom(connection) }
        if events.contains(.write) { becameWritable(connection) }
        if connection.value.isDoomed { return }
        if events.contains(.readHangup), connection.value.stream?.value.isStreaming == true {
            // The client left, or half-closed: nobody waits for a stream's end after that.
            return doom(connection)
        }
        if events.contains(.hangup) { return doom(connection) }
        guard connection.value.transport.isReading else {
            // Input is paused: what waits, and the end behind it, is read when its turn comes.
            if events.contains(.readHangup) { hungUpUnread(connection) }
            return
        }
        if events.contains(.read) || events.contains(.readHangup) { readInTurn(connection) }
    }

    /// Reads, except that handshakes wait for their turn: each costs as much as a broadcast to dozens of subscribers.
    func readInTurn(_ connection: ConnectionPointer) {
        guard hasPassedProxyHeader(connection) else { return }
        guard !connection.value.transport.isEstablished else { return read(connection) }
        guard !connection.value.isGreeting else { return }
        connection.value.isGreeting = true
        greeting.append(connection.value.token)
    }

    /// Some handshakes go on in every tick.
    func continueHandshakes() {
        guard !greeting.isEmpty else { return }
        let turn = greeting.prefix(Worker.handshakesPerTick)
        greeting.removeFirst(turn.count)
        for token in turn {
            guard let connection = connections.find(token), !connection.value.isDoomed else { continue }
            connection.value.isGreeting = false
            read(connection)
        }
    }

    func becameWritable(_ connection: ConnectionPointer) {
        guard connection.value.transport.becameWritable(context) else {
            if connection.value.transport.failure != nil { doom(connection) }
            return
        }
        if let http2 = connection.value.http2 { resumeFrames(connection, http2) }
        if let stream = connection.value.stream { becameWritable(stream) }
        if connection.value.phase == .lingering, !connection.value.transport.isBlocked { lingerOn(connection) }
    }

    private func hungUpUnread(_ connection: ConnectionPointer) {
        if let exchange = connection.value.stream?.value.exchange, let handler = exchange.handler,
            !handler.comesToAnEnd && exchange.wasAnswered || handler.endsWithClient, !exchange.isTunnel
        {
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
        guard connection.value.phase == .open, let stream = connection.value.stream, !stream.value.isStreaming else {
            connection.value.flushFrames(context)
            return connection.value.transport.isHolding ? linger(connection) : doom(connection)
        }
        let exchange = stream.value.exchange
        if exchange?.isTunnel == true, let link = exchange?.handler as? ProxyLink {
            return tunnelClientEnded(stream, link.proxied)
        }
        let streams =
            exchange?.handler.map { !$0.comesToAnEnd && exchange?.wasAnswered == true || $0.endsWithClient } ?? false
        if streams || exchange?.bodyEnded == false { return doom(connection) }
        stream.value.closesAfterResponse = true
        connection.value.transport.muteReadHangup(context)
    }

    private func received(_ connection: ConnectionPointer, _ bytes: UnsafeRawBufferPointer) {
        guard connection.value.phase != .lingering else { return }
        guard connection.value.isDecided else { return unsafe decide(connection, bytes) }
        unsafe take(connection, bytes)
    }

    private func take(_ connection: ConnectionPointer, _ bytes: UnsafeRawBufferPointer) {
        if let http2 = connection.value.http2 { return unsafe takeFrames(connection, http2, bytes) }
        unsafe takeHTTP1(connection, bytes)
    }

    /// TLS agreed on a protocol by ALPN. Without it, HTTP/2 is what begins as it does, where the listener allows that
    /// (prior knowledge, RFC 9113, section 3.3).
    private func decide(_ connection: ConnectionPointer, _ bytes: UnsafeRawBufferPointer) {
        if connection.value.transport.isSecure {
            connection.value.isDecided = true
            if connection.value.transport.alpn == "h2" { startHTTP2(connection) }
            return unsafe take(connection, bytes)
        }
        guard plan.listeners[connection.value.listener].allowsPlainHTTP2 else {
            connection.value.isDecided = true
            return unsafe take(connection, bytes)
        }
        unsafe connection.value.held.append(bytes)
        let preface = HTTP2Session.preface
        let isPrefix = unsafe connection.value.held.withBytes { held in
            unsafe held.prefix(preface.count).elementsEqual(preface.prefix(held.count))
        }
        if isPrefix, connection.value.held.count < preface.count { return headBegan(connection) }
        connection.value.isDecided = true
        if isPrefix { startHTTP2(connection) }
        var held = ByteQueue()
        swap(&held, &connection.value.held)
        unsafe held.withBytes { unsafe take(connection, $0) }
    }

    // MARK: Deadlines

    func setDeadline(_ connection: ConnectionPointer, _ milliseconds: UInt64) {
        connection.value.timer.at = context.now &+ milliseconds
        arm(connection, connection.value.timer.at)
    }

    /// Sees to it that the timer fires not later than `at`.
    func arm(_ connection: ConnectionPointer, _ at: UInt64) {
        arm(&connection.value.timer, at, connection.value.token.packed(.connection))
    }

    func set(_ deadline: inout Deadline, _ at: UInt64, _ token: UInt64) {
        deadline.at = at
        arm(&deadline, at, token)
    }

    func arm(_ deadline: inout Deadline, _ at: UInt64, _ token: UInt64) {
        if let timer = deadline.timer {
            if deadline.firesAt <= at { return }
            loop.timers.cancel(timer)
        }
        deadline.firesAt = at
        deadline.timer = loop.timers.schedule(atMilliseconds: at, token: token)
    }

    func connectionTimer(_ token: Token) {
        guard let connection = connections.find(token), !connection.value.isDoomed else { return }
        connection.value.timer.timer = nil
        let now = context.now
        if connection.value.transport.isBlocked {
            let timeout = plan.writeTimeout
            if connection.value.transport.blockedSince &+ timeout <= now, !connection.value.transport.isTaking(context)
            {
                context.counters.endedWriteTimeout &+= 1
                logger.notice("write timeout: the client took nothing", metadata: ["peer": "\(connection.value.peer)"])
                connection.value.streamsEnd(.writeTimeout)
                connection.value.transport.resetOnClose()
                return doom(connection)
            }
            arm(connection, connection.value.transport.blockedSince &+ timeout)
        }
        let deadline = connection.value.timer.at
        guard deadline != 0 else { return }
        if deadline > now { return arm(connection, deadline) }
        deadlinePassed(connection)
    }

    private func deadlinePassed(_ connection: ConnectionPointer) {
        switch connection.value.phase {
        case .head:
            context.counters.headTimeouts &+= 1
            // It is answered in HTTP/1.1: what follows is no longer the beginning of anything else.
            connection.value.isDecided = true
            refuse(openStream(connection), HTTPError(status: 408, reason: "the request head did not arrive in time"))
        case .open: if let http2 = connection.value.http2 { silent(connection, http2) }
        case .idle where connection.value.proxyHeader != nil:
            context.counters.headTimeouts &+= 1
            refuseProxyHeader(connection, "the header did not arrive in time")
        case .idle, .lingering: doom(connection)
        }
    }

    // MARK: Ending

    /// Ends this side and waits a little for the client to end its own: a close while bytes of it are on their way would
    /// make the system reset the connection and take the answer with it (RFC 9112, section 9.6).
    func linger(_ connection: ConnectionPointer) {
        connection.value.phase = .lingering
        connection.value.held = ByteQueue()
        // They are over with the connection's last word, though the client may take its time to close.
        if let http2 = connection.value.http2 { for stream in http2.streams { endStream(stream) } }
        guard !connection.value.transport.isBlocked else {
            // What waits has as long as the client takes of it.
            connection.value.timer.at = 0
            return arm(connection, context.now &+ plan.writeTimeout)
        }
        lingerOn(connection)
    }

    private func lingerOn(_ connection: ConnectionPointer) {
        connection.value.transport.shutdown(context)
        if connection.value.transport.inputEnded { return doom(connection) }
        connection.value.transport.setReading(true, context)
        setDeadline(connection, Worker.lingerMilliseconds)
    }

    /// Marks a connection to be closed at the end of the tick: nothing that is being walked changes under its walker.
    func doom(_ connection: ConnectionPointer) {
        guard !connection.value.isDoomed else { return }
        connection.value.isDoomed = true
        doomed.append(connection.value.token)
    }

    func closeDoomed() {
        removeOverStreams()
        while let token = doomed.popLast() {
            guard let connection = connections.find(token) else { continue }
            if let http2 = connection.value.http2 { for stream in http2.streams { endStream(stream) } }
            if let stream = connection.value.stream { endStream(stream) }
            removeOverStreams()
            if let timer = connection.value.timer.timer { loop.timers.cancel(timer) }
            if let address = connection.value.countedAddress { plan.ledger.uncount(address) }
            connection.value.transport.sayGoodbye(context)
            connection.value.transport.deregister(context)
            plan.ledger.closed()
            connections.remove(token)
        }
    }
}
