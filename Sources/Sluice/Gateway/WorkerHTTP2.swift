internal import Logging
internal import SluiceHTTP

/// HTTP/2 on a connection: frames to streams and back.
extension Worker {
    func startHTTP2(_ connection: ConnectionPointer) {
        connection.value.parser = nil
        connection.value.phase = .open
        do {
            let http2 = try HTTP2Connection(limits: plan.http2Limits, now: context.now)
            connection.value.http2 = http2
            context.list(connection, http2)
            // A client that opens no stream is idle from here on; one over a limit is here for its refusal alone.
            setDeadline(connection, connection.value.isRefused ? plan.requestHeadTimeout : plan.keepAlive)
        } catch {
            logger.error("no HTTP/2 session", metadata: ["reason": "\(error)"])
            doom(connection)
        }
    }

    func takeFrames(_ connection: ConnectionPointer, _ http2: HTTP2Connection, _ bytes: UnsafeRawBufferPointer) {
        http2.lastInput = context.now
        let goesOn = unsafe http2.session.receive(bytes, nowMilliseconds: context.now)
        if !goesOn {
            // With streams that are not done, only an error ends it.
            for stream in http2.streams where !stream.value.isFinishing { stream.value.record?.ends(.protocolError) }
        }
        takeEvents(connection, http2)
        context.list(connection, http2)
        guard !goesOn else {
            guard connection.value.phase != .lingering else { return }
            watchHead(connection, http2)
            return pauseIfFull(connection, http2)
        }
        if let error = http2.session.stopError {
            context.counters.badRequests &+= 1
            logger.notice(
                "HTTP/2 connection ended for an error",
                metadata: ["peer": "\(connection.value.peer)", "code": "\(error)"])
        }
        end(connection)
    }

    /// The last frame is written.
    private func end(_ connection: ConnectionPointer) {
        connection.value.flushFrames(context)
        linger(connection)
    }

    /// A head has to come within its time, however it is cut into frames.
    private func watchHead(_ connection: ConnectionPointer, _ http2: HTTP2Connection) {
        guard http2.session.isHeadUnfinished else { return http2.headSince = 0 }
        guard http2.headSince == 0 else { return }
        http2.headSince = context.now
        let due = context.now &+ plan.requestHeadTimeout
        connection.value.timer.at = min(connection.value.timer.at, due)
        arm(connection, due)
    }

    /// A client that does not take answers is not read either.
    private func pauseIfFull(_ connection: ConnectionPointer, _ http2: HTTP2Connection) {
        guard http2.session.isOutputFull else { return }
        connection.value.flushFrames(context)
        if http2.session.isOutputFull { connection.value.transport.setReading(false, context) }
    }

    /// What the engine has recorded, one by one: serving one may bring others.
    private func takeEvents(_ connection: ConnectionPointer, _ http2: HTTP2Connection) {
        while !connection.value.isDoomed, let event = http2.session.nextEvent() {
            switch event {
            case .head(let number, let head): takeHead(connection, number, head)
            case .refused(let number, let error): refuse(openStream(connection, number: number), error)
            case .body(let number, let tag, let bytes):
                guard let stream = findStream(tag) else {
                    http2.session.consumed(number, bytes.count)
                    continue
                }
                takeBody(stream, bytes)
            case .bodyEnd(_, let tag, let trailers): findStream(tag).map { endOfBody($0, trailers) }
            case .closed(_, let tag, _): if let stream = findStream(tag) { endStream(stream) }
            case .writable(_, let tag): findStream(tag).map(becameWritable)
            }
        }
        if http2.isDraining, http2.session.openStreams == 0 { return leave(connection, http2) }
    }

    private func findStream(_ tag: UInt64) -> StreamPointer? {
        guard let stream = streams.find(Token.unpack(tag).token), !stream.value.isOver else { return nil }
        return stream
    }

    private func takeHead(_ connection: ConnectionPointer, _ number: Int32, _ head: RequestHead) {
        let stream = openStream(connection, number: number)
        guard isForUs(connection, head) else {
            stream.value.record?.asked(head)
            return refuse(stream, HTTPError(status: 421, reason: "this host is not served on this connection"))
        }
        begin(stream, head)
    }

    /// Browsers use a connection for every host that its certificate is for. A host beyond that would reach a server that
    /// the client has not verified (RFC 9110, section 7.4).
    private func isForUs(_ connection: ConnectionPointer, _ head: RequestHead) -> Bool {
        guard connection.value.transport.isSecure, let host = head.host else { return true }
        return connection.value.transport.isCertified(for: host)
    }

    // MARK: Bodies

    private func takeBody(_ stream: StreamPointer, _ bytes: [UInt8]) {
        if case .wait? = stream.value.exchange?.bodyUse {
            // Not given back: the client sends no more than its window before somebody reads.
            return stream.value.unread.append(bytes)
        }
        unsafe bytes.withUnsafeBytes { unsafe bodyPart(stream, $0) }
        stream.value.consumed(bytes.count, context)
    }

    private func endOfBody(_ stream: StreamPointer, _ trailers: FieldBlock?) {
        stream.value.exchange?.trailers = trailers
        if case .wait? = stream.value.exchange?.bodyUse { return stream.value.endsUnread = true }
        bodyEnded(stream, trailers)
    }

    /// Somebody asked for the body: what came of it before is handed on.
    func releaseUnread(_ stream: StreamPointer) {
        guard stream.value.number != 0 else { return releaseHeld(stream.value.connection) }
        var unread = ByteQueue()
        swap(&unread, &stream.value.unread)
        unsafe unread.withBytes { unsafe bodyPart(stream, $0) }
        stream.value.consumed(unread.count, context)
        // Who took it may have had enough.
        if case .wait? = stream.value.exchange?.bodyUse { return }
        if stream.value.endsUnread { bodyEnded(stream, stream.value.exchange?.trailers) }
    }

    // MARK: Output

    /// The end of a tick: the frames of all streams of a connection leave in one write.
    func flushFrames() {
        guard !context.framed.isEmpty else { return }
        // Only those of this tick: who is as fast as it is written to would keep the loop for itself.
        let framed = context.framed
        context.framed.removeAll(keepingCapacity: true)
        for token in framed {
            guard let connection = connections.find(token), let http2 = connection.value.http2 else { continue }
            http2.isListed = false
            guard !connection.value.isDoomed else { continue }
            connection.value.flushFrames(context)
            takeEvents(connection, http2)
            settle(connection, http2)
        }
    }

    private func settle(_ connection: ConnectionPointer, _ http2: HTTP2Connection) {
        if connection.value.transport.failure != nil { return doom(connection) }
        guard connection.value.phase != .lingering else { return }
        if connection.value.transport.isBlocked {
            return arm(connection, context.now &+ plan.writeTimeout)
        }
        if http2.session.isOver { return linger(connection) }
        if http2.hasWaiting { resumeFrames(connection, http2) }
    }

    /// The transport takes bytes again: first the frames that wait, then the streams that waited for it.
    func resumeFrames(_ connection: ConnectionPointer, _ http2: HTTP2Connection) {
        connection.value.flushFrames(context)
        context.list(connection, http2)
        if !http2.session.isOutputFull { connection.value.transport.setReading(true, context) }
        guard http2.hasWaiting, !connection.value.transport.isBlocked else { return }
        http2.hasWaiting = false
        for stream in http2.streams where stream.value.isBlocked { becameWritable(stream) }
    }

    // MARK: Time

    /// Nothing came for a while. A client that opens no stream is let go, whatever else it sends; one with streams is
    /// asked whether it lives, since it may have nothing to say for hours.
    func silent(_ connection: ConnectionPointer, _ http2: HTTP2Connection) {
        if http2.headSince != 0 {
            let due = http2.headSince &+ plan.requestHeadTimeout
            guard due <= context.now else { return arm(connection, due) }
            context.counters.headTimeouts &+= 1
            http2.session.goAway(error: HTTP2ErrorCode.enhanceYourCalm)
            return end(connection)
        }
        if connection.value.isRefused, http2.streams.isEmpty { return leave(connection, http2) }
        let isIdle = http2.streams.isEmpty
        let due = (isIdle ? http2.idleSince : http2.lastInput) &+ plan.keepAlive
        if due > context.now { return arm(connection, due) }
        if isIdle { return leave(connection, http2) }
        guard !http2.session.awaitsPing else {
            logger.notice("a client did not answer PING", metadata: ["peer": "\(connection.value.peer)"])
            connection.value.streamsEnd(.timeout)
            connection.value.transport.resetOnClose()
            return doom(connection)
        }
        http2.session.ping()
        context.list(connection, http2)
        arm(connection, context.now &+ plan.writeTimeout)
    }

    /// Says that no more streams are taken; those that run end by themselves.
    func drainFrames(_ connection: ConnectionPointer, _ http2: HTTP2Connection) {
        guard !http2.isDraining else { return }
        http2.isDraining = true
        http2.session.beginDrain()
        context.list(connection, http2)
    }

    private func leave(_ connection: ConnectionPointer, _ http2: HTTP2Connection) {
        guard connection.value.phase != .lingering else { return }
        http2.session.goAway(error: HTTP2ErrorCode.none)
        end(connection)
    }
}
