internal import SluiceHTTP
internal import SluiceIO
internal import SluiceTLS

/// Asks one endpoint how it is, again and again, each time on a connection of its own. It lives on one loop's thread.
final class HealthProbe {
    /// Who is told.
    protocol Owner: AnyObject {
        /// - Parameter reason: why it is not up.
        func healthProbe(_ probe: HealthProbe, isUp: Bool, reason: String)
        /// The gateway had no descriptor or port left to ask with, which says nothing of the endpoint.
        func healthProbe(_ probe: HealthProbe, wasNotMade reason: String)
    }

    private enum State { case waiting, connecting, handshaking, awaitingHead, stopped }

    /// The index in the tokens of its socket and its timer (`Token`, kind `.probe`).
    let index: UInt32
    let pool: UpstreamPool
    let endpoint: UInt32
    let address: SocketAddress
    private let server: UpstreamServer
    private let check: HealthCheck
    private let trust: StreamTrust
    private let context: LoopContext
    private unowned let owner: any Owner

    private var state = State.stopped
    private var transport: Transport?
    /// Counts connections: events of an earlier one are dropped.
    private var attempt: UInt32 = 0
    private var parser = ResponseParser()
    private var nextAt: UInt64 = 0
    private var timer: TimerWheel.ID?

    init(
        index: UInt32, pool: UpstreamPool, endpoint: UInt32, server: UpstreamServer, address: SocketAddress,
        check: HealthCheck, trust: StreamTrust, context: LoopContext, owner: any Owner
    ) {
        self.index = index
        self.pool = pool
        self.endpoint = endpoint
        self.server = server
        self.address = address
        self.check = check
        self.trust = trust
        self.context = context
        self.owner = owner
    }

    /// The first request leaves with the next tick.
    func start() {
        state = .waiting
        setTimer(at: context.now &+ 1)
    }

    func stop() {
        close()
        state = .stopped
        if let timer { context.loop.timers.cancel(timer) }
        timer = nil
    }

    // MARK: The loop

    func timerFired() {
        timer = nil
        switch state {
        case .waiting: begin()
        case .connecting, .handshaking, .awaitingHead: finish(isUp: false, "it took too long")
        case .stopped: break
        }
    }

    func ready(_ token: Token, _ events: Selector.Events) {
        guard token.generation == attempt & Token.generationMask else { return }
        if state == .connecting {
            if let error = transport?.connectError { return finish(isUp: false, "\(error)") }
            guard events.contains(.write) else { return }
            return secure()
        }
        if events.contains(.write), !flush() { return }
        if events.contains(.read) || !events.isDisjoint(with: .ends) {
            take(transport?.read(context) ?? .nothing)
        }
    }

    private func setTimer(at time: UInt64) {
        if let timer { context.loop.timers.cancel(timer) }
        timer = context.loop.timers.schedule(
            atMilliseconds: time, token: Token(index: index, generation: 0).packed(.probe))
    }

    // MARK: One request

    private func begin() {
        nextAt = context.now &+ check.every.milliseconds
        attempt &+= 1
        state = .connecting
        setTimer(at: context.now &+ max(1, check.timeout.milliseconds))
        do throws(Errno) {
            let token = Token(index: index, generation: attempt & Token.generationMask)
            var connecting = Transport(try Socket.connecting(to: address), selectorToken: token.packed(.probe))
            try connecting.register([.read, .write], context)
            transport = consume connecting
        } catch {
            guard error.isOfThisMachine else { return finish(isUp: false, "\(error)") }
            rest()
            owner.healthProbe(self, wasNotMade: "\(error)")
        }
    }

    private func secure() {
        guard server.isSecure else { return send() }
        do throws(TLSError) {
            let name = pool.options.tls.serverName ?? server.host
            let tls = try trust.context(isForeign: false)
            transport?.secure(by: try TLSSession(connecting: tls, serverName: name, pipe: context.pipe))
        } catch {
            return failed(.tls(error))
        }
        state = .handshaking
        take(transport?.startHandshake(context) ?? .nothing)
    }

    private func send() {
        state = .awaitingHead
        parser = ResponseParser()
        parser.expect(method: .get)
        // What is no path becomes "/".
        var bytes = Array("GET ".utf8) + RequestHead.make(target: check.path).target
        bytes += Array(" HTTP/1.1\r\nHost: \(server.authority)\r\nUser-Agent: sluice-health\r\n".utf8)
        bytes += Array("Accept: */*\r\nConnection: close\r\n\r\n".utf8)
        transport?.writeAll(bytes, context)
        _ = flush()
    }

    /// Whether the connection is still there.
    private func flush() -> Bool {
        if transport?.becameWritable(context) == false, let failure = transport?.failure {
            failed(failure)
            return false
        }
        return true
    }

    private func take(_ outcome: Transport.ReadOutcome) {
        switch outcome {
        case .nothing: break
        case .bytes where state == .handshaking: return finish(isUp: false, "it spoke before it was asked")
        case .bytes(let count): return unsafe parse(UnsafeRawBufferPointer(rebasing: context.input[..<count]))
        case .end: return finish(isUp: false, "it closed the connection without an answer")
        case .failed(let error): return failed(error)
        }
        if state == .handshaking, transport?.isEstablished == true { send() }
    }

    private func parse(_ input: UnsafeRawBufferPointer) {
        var offset = 0
        while true {
            let (event, consumed) = unsafe parser.parse(UnsafeRawBufferPointer(rebasing: input[offset...]))
            offset += consumed
            switch event {
            case .needMore:
                if let failure = transport?.failure { failed(failure) }
                return
            case .informational: break
            case .head(let head): return judge(head.status)
            case .body, .end: return
            case .failed(let error): return finish(isUp: false, "its answer is no HTTP: \(error.reason)")
            }
        }
    }

    private func judge(_ status: UInt16) {
        let isUp = check.status.map { $0 == Int(status) } ?? (200..<400).contains(status)
        finish(isUp: isUp, isUp ? "" : "it answered \(status)")
    }

    // MARK: Ending

    private func failed(_ error: TransportError) {
        // The files may have been renewed.
        if case .tls = error { trust.forget(at: context.now) }
        finish(isUp: false, "\(error)")
    }

    private func finish(isUp: Bool, _ reason: String) {
        rest()
        owner.healthProbe(self, isUp: isUp, reason: reason)
    }

    /// Until it is time for the next one.
    private func rest() {
        close()
        state = .waiting
        // Never in this very tick.
        setTimer(at: max(nextAt, context.now &+ 1))
    }

    private func close() {
        guard var old = transport.take() else { return }
        old.sayGoodbye(context)
        old.deregister(context)
    }
}
