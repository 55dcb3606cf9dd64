internal import SluiceHTTP
internal import SluiceIO
internal import SluiceTLS

/// From a name to a request that is sent.
extension StreamClient {
    /// Begins an attempt.
    func connect() {
        guard state == .waiting else { return }
        redirects.begin()
        lookUp(redirects.place.url)
    }

    /// The answer of the resolver.
    func resolved(_ result: Result<[SocketAddress], ResolveError>, attempt: UInt64) {
        guard state == .resolving, attempt == lookup else { return }
        switch result {
        case .success(let found):
            guard !found.isEmpty else { return end(StreamFault(.lookup, "the name has no address")) }
            race = AddressRace(found, avoiding: avoided)
            raceReason = ""
            state = .connecting
            advanceRace()
            arm()
        case .failure(let error):
            end(StreamFault(.lookup, "\(redirects.place.url.host): \(error)"))
        }
    }

    /// Gives up what took too long, begins with the next address when it is time for it.
    func advanceRace() {
        guard state == .connecting else { return }
        for racer in racers where racer.deadline <= context.now { lose(racer, "connecting took too long") }
        while let address = race.next(at: context.now) { begin(address) }
        if race.isOver { end(StreamFault(.connect, raceReason)) }
    }

    private func begin(_ address: SocketAddress) {
        do {
            let connecting = try Socket.connecting(to: address)
            sockets &+= 1
            let token = Token(index: index, generation: sockets & Token.generationMask)
            var transport = Transport(connecting, selectorToken: token.packed(.feed))
            try transport.register([.read, .write], context)
            racers.append(
                Racer(
                    transport, number: token.generation, address: address,
                    deadline: context.now &+ options.connectMilliseconds))
        } catch {
            raceReason = "\(address): \(error)"
            race.lost()
        }
    }

    private func lose(_ racer: Racer, _ reason: String) {
        raceReason = "\(racer.address): \(reason)"
        racer.transport.take()?.deregister(context)
        racers.removeAll { $0 === racer }
        race.lost()
    }

    /// The selector has something to say about a socket of this client.
    func ready(_ token: Token, _ events: Selector.Events) {
        if state == .connecting {
            guard let racer = racers.first(where: { $0.number == token.generation }) else { return }
            if let error = racer.transport?.connectError {
                lose(racer, "\(error)")
                advanceRace()
                arm()
            } else if events.contains(.write) {
                win(racer)
            }
            return
        }
        guard token.generation == socket & Token.generationMask, !isPaused else { return }
        if events.contains(.write), transport?.becameWritable(context) == false, let failure = transport?.failure {
            return cannotWrite(failure)
        }
        if events.contains(.read) || !events.isDisjoint(with: .ends) { read() }
    }

    /// The first to connect is taken; the others are closed.
    private func win(_ racer: Racer) {
        let won = racer.transport.take()
        drop()
        transport = consume won
        socket = racer.number
        address = racer.address
        secure()
        arm()
    }

    private func secure() {
        let place = redirects.place
        guard place.url.isSecure else { return sendRequest() }
        do throws(TLSError) {
            let tls = try trust.context(isForeign: place.isForeign)
            transport?.secure(by: try TLSSession(connecting: tls, serverName: place.url.host, pipe: context.pipe))
        } catch {
            return end(StreamFault(error))
        }
        state = .handshaking
        deadline = context.now &+ options.connectMilliseconds
        take(transport?.startHandshake(context) ?? .nothing)
    }

    func sendRequest() {
        state = .awaitingHead
        let place = redirects.place
        parser = ResponseParser()
        parser.expect(method: place.keepsBody ? request.method : .get)
        events.reset()
        deadline = context.now &+ (options.idleMilliseconds ?? 60_000)
        transport?.writeAll(request.bytes(for: place, lastEventID: events.lastEventID), context)
        // Nothing more is to be written, unless the peer did not take it all.
        if transport?.becameWritable(context) == false, let failure = transport?.failure {
            return cannotWrite(failure)
        }
        arm()
    }

    /// The peer takes nothing more. Why, it may have said before: an alert, or an early answer.
    private func cannotWrite(_ failure: TransportError) {
        let socket = socket
        read()
        guard socket == self.socket, isConnected else { return }
        end(StreamFault(failure, streaming: state == .streaming))
    }
}
