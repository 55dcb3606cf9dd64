internal import Logging
internal import SluiceHTTP
internal import SluiceIO

/// The life of a stream: from a request's head to the last byte of its answer, over either protocol.
extension Worker {
    typealias StreamPointer = Place<Stream>

    /// A request came, or something that is none and has to be answered.
    func openStream(_ connection: ConnectionPointer, number: Int32 = 0) -> StreamPointer {
        let token = streams.nextToken
        let stream = streams.add(Stream(on: connection, token: token, number: number))
        if context.access != nil { stream.value.record = AccessRecord(began: context.now) }
        connection.value.phase = .open
        if let http2 = connection.value.http2 {
            http2.insert(stream)
            http2.session.setTag(token.packed(.stream), stream: number)
        } else {
            connection.value.stream = stream
            connection.value.timer.at = 0
        }
        return stream
    }

    /// Lets go of a stream. It is removed at the end of the tick: whoever is at work on it finds it over.
    /// - Parameter isWhole: all of the answer has left, or leaves with this tick.
    func endStream(_ stream: StreamPointer, isWhole: Bool = false) {
        guard !stream.value.isOver else { return }
        stream.value.isOver = true
        if let subscriber = stream.value.subscriber { shard.unsubscribe(subscriber) }
        stream.value.exchange?.handler?.clientLeft()
        stream.value.exchange = nil
        if stream.value.record != nil { stream.value.logEnd(isWhole: isWhole, context) }
        if let timer = stream.value.timer.timer { loop.timers.cancel(timer) }
        if let address = stream.value.countedAddress { plan.ledger.uncount(address) }
        stream.value.seat?.leave()
        stream.value.seat = nil
        let connection = stream.value.connection
        if connection.value.stream == stream { connection.value.stream = nil }
        overStreams.append(stream.value.token)
    }

    func removeOverStreams() {
        while let token = overStreams.popLast() {
            guard let stream = streams.find(token) else { continue }
            stream.value.connection.value.http2?.remove(stream, now: context.now)
            streams.remove(token)
        }
    }

    /// Gives a stream up without an end that could be taken for one: over HTTP/1.1 that is the connection's end.
    func abandon(_ stream: StreamPointer) {
        if stream.value.number == 0 || stream.value.hasFailed { return doom(stream.value.connection) }
        stream.value.reset(HTTP2ErrorCode.cancel, context)
    }

    /// The response has been written.
    func finishIfWritten(_ stream: StreamPointer) {
        guard stream.value.isFinishing, !stream.value.isOver, !stream.value.connection.value.isDoomed else { return }
        guard stream.value.number != 0 else { return finishHTTP1(stream) }
        // It is over when both sides have ended, which the engine says. The end waits for the client's windows as bytes do.
        setDeadline(stream, plan.writeTimeout)
        watchIfBlocked(stream)
    }

    func becameWritable(_ stream: StreamPointer) {
        guard !stream.value.isOver else { return }
        guard stream.value.becameWritable(context) else { return watchIfBlocked(stream) }
        if let subscriber = stream.value.subscriber { shard.resume(subscriber) }
        stream.value.exchange?.handler?.becameWritable()
        finishIfWritten(stream)
    }

    // MARK: Deadlines

    func setDeadline(_ stream: StreamPointer, _ milliseconds: UInt64) {
        stream.value.timer.at = context.now &+ milliseconds
        arm(stream, stream.value.timer.at)
    }

    func arm(_ stream: StreamPointer, _ at: UInt64) {
        guard !stream.value.isOver else { return }
        arm(&stream.value.timer, at, stream.value.token.packed(.stream))
    }

    /// Looks for clients that take nothing: of a connection, or of one stream of it.
    func watchIfBlocked(_ stream: StreamPointer) {
        guard stream.value.isBlocked else { return }
        let at = context.now &+ plan.writeTimeout
        if stream.value.connection.value.transport.isBlocked { arm(stream.value.connection, at) }
        if stream.value.number != 0 { arm(stream, at) }
    }

    func streamTimer(_ token: Token) {
        guard let stream = streams.find(token), !stream.value.isOver else { return }
        stream.value.timer.timer = nil
        if stream.value.number != 0, stream.value.isBlocked, !isTaking(stream) { return }
        if stream.value.isStreaming {
            let next = stream.value.subscriber.flatMap(shard.heartbeat)
            if let next { arm(stream, next) }
            watchIfBlocked(stream)
            if stream.value.hasFailed { doom(stream.value.connection) }
            return
        }
        let deadline = stream.value.timer.at
        guard deadline != 0 else { return }
        if deadline > context.now { return arm(stream, deadline) }
        deadlinePassed(stream)
    }

    /// A stream whose window stays closed is reset; what its connection takes or not is looked at there.
    private func isTaking(_ stream: StreamPointer) -> Bool {
        let timeout = plan.writeTimeout
        let isHeldUp = stream.value.connection.value.transport.isBlocked
        let due = (isHeldUp ? context.now : stream.value.blockedSince) &+ timeout
        guard due <= context.now else {
            arm(stream, due)
            return true
        }
        tookNothing(stream)
        return false
    }

    private func tookNothing(_ stream: StreamPointer) {
        context.counters.endedWriteTimeout &+= 1
        stream.value.record?.ends(.writeTimeout)
        logger.notice(
            "write timeout: the client took nothing of a stream",
            metadata: ["peer": "\(stream.value.connection.value.peer)"])
        stream.value.reset(HTTP2ErrorCode.cancel, context)
    }

    private func deadlinePassed(_ stream: StreamPointer) {
        if stream.value.number != 0, stream.value.isFinishing {
            // One that is blocked was looked at before.
            if !stream.value.isBlocked { tookNothing(stream) }
            return
        }
        guard let exchange = stream.value.exchange else { return }
        if let handler = exchange.handler, handler.endsWithClient { return handler.deadlinePassed() }
        guard !exchange.bodyEnded else { return }
        if case .wait = exchange.bodyUse { return }
        if exchange.wasAnswered {
            stream.value.record?.ends(.timeout)
            return abandon(stream)
        }
        refuse(stream, HTTPError(status: 408, reason: "the request body did not arrive in time"))
    }
}
