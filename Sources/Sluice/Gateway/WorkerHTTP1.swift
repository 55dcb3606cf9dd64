internal import SluiceHTTP

/// HTTP/1.1 on a connection: one exchange after the other.
extension Worker {
    func takeHTTP1(_ connection: ConnectionPointer, _ bytes: UnsafeRawBufferPointer) {
        switch connection.value.phase {
        case .idle, .head: unsafe parse(connection, bytes)
        case .open:
            guard let stream = connection.value.stream, !stream.value.isStreaming else {
                // A stream's client has nothing more to say. One buffer of it is thrown away, then nobody listens.
                return connection.value.transport.setReading(false, context)
            }
            if case .tunnel? = stream.value.exchange?.bodyUse { return unsafe tunnelUp(stream, bytes) }
            if let exchange = stream.value.exchange, !exchange.bodyEnded, connection.value.held.isEmpty {
                unsafe parse(connection, bytes)
            } else {
                unsafe hold(connection, bytes)
            }
        case .lingering: break
        }
    }

    /// Keeps input that comes too early, and stops reading when that is one buffer full.
    private func hold(_ connection: ConnectionPointer, _ bytes: UnsafeRawBufferPointer) {
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
                if unsafe !rest.isEmpty, connection.value.stream?.value.exchange != nil {
                    unsafe hold(connection, rest)
                }
                return
            }
            guard let (event, consumed) = unsafe connection.value.parser?.parse(rest) else { return }
            offset += consumed
            switch consume event {
            case .needMore: return unsafe rest.isEmpty ? () : headBegan(connection)
            case .head(let head): begin(openStream(connection), head)
            case .body(let range):
                guard let stream = connection.value.stream else { return }
                unsafe bodyPart(stream, UnsafeRawBufferPointer(rebasing: rest[range]))
            case .end(let trailers):
                guard let stream = connection.value.stream else { continue }
                bodyEnded(stream, trailers)
            case .failed(let error): return refuse(connection.value.stream ?? openStream(connection), error)
            }
        }
    }

    /// Whether the parser may go on: not into the next request while one is being served.
    private func wantsInput(_ connection: ConnectionPointer) -> Bool {
        switch connection.value.phase {
        case .idle, .head: return true
        case .lingering: return false
        case .open:
            guard let exchange = connection.value.stream?.value.exchange, !exchange.bodyEnded else { return false }
            if case .wait = exchange.bodyUse { return false }
            return true
        }
    }

    func headBegan(_ connection: ConnectionPointer) {
        guard connection.value.phase == .idle, connection.value.parser?.isIdle == false || !connection.value.isDecided
        else { return }
        connection.value.phase = .head
        setDeadline(connection, plan.requestHeadTimeout)
    }

    /// The response has been written: when it has left, the next request's turn comes, or the connection ends.
    func finishHTTP1(_ stream: StreamPointer) {
        let connection = stream.value.connection
        if stream.value.hasFailed { return doom(connection) }
        guard connection.value.transport.isDoneWithResponse else { return watchIfBlocked(stream) }
        if stream.value.exchange?.bodyEnded == false, !stream.value.closesAfterResponse {
            // The rest of the body is read and thrown away first, lest it become the next request.
            return setDeadline(stream, plan.requestHeadTimeout)
        }
        let closes = stream.value.closesAfterResponse || isDraining
        endStream(stream, isWhole: true)
        if closes { return linger(connection) }
        connection.value.phase = .idle
        if case nil = connection.value.parser {
            connection.value.parser = RequestParser(limits: plan.httpLimits)
        }
        connection.value.transport.setReading(true, context)
        setDeadline(connection, plan.keepAlive)
        releaseHeld(connection)
    }

    /// Goes on with input that had to wait. Of a body that may be the end alone, which the parser has seen already.
    func releaseHeld(_ connection: ConnectionPointer) {
        let hasBody = connection.value.stream?.value.exchange?.bodyEnded == false
        guard hasBody || !connection.value.held.isEmpty else { return }
        var held = ByteQueue()
        swap(&held, &connection.value.held)
        unsafe held.withBytes { unsafe parse(connection, $0) }
        if connection.value.held.count < LoopContext.readSize, connection.value.stream?.value.isStreaming != true {
            connection.value.transport.setReading(true, context)
        }
    }
}
