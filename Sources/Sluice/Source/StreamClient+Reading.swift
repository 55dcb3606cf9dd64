internal import SluiceHTTP
internal import SluiceIO
internal import SluiceSSE

/// From bytes to reports.
extension StreamClient {
    /// Decoded bytes after which others have their turn: 32 KiB can hold a thousand times as much.
    static let bytesInTurn = 256 * 1024

    func read() { take(transport?.read(context) ?? .nothing) }

    func take(_ outcome: Transport.ReadOutcome) {
        switch outcome {
        case .nothing: break
        case .bytes where state == .handshaking:
            return end(StreamFault(.http, "the upstream spoke before it was asked"))
        case .bytes(let count):
            lastHeard = context.now
            inflated = 0
            let socket = socket
            unsafe parse(UnsafeRawBufferPointer(rebasing: context.input[..<count]))
            guard goesOn(socket) else { return }
            settle()
            return
        case .end: return inputEnded()
        case .failed(let error): return end(StreamFault(error, streaming: state == .streaming))
        }
        if state == .handshaking, transport?.isEstablished == true { sendRequest() }
    }

    /// Whether this connection is still the one that is read.
    private func goesOn(_ socket: UInt32) -> Bool {
        socket == self.socket && !isPaused && (state == .awaitingHead || state == .streaming)
    }

    /// What came together with the bytes that were parsed.
    private func settle() {
        if let failure = transport?.failure { return end(StreamFault(failure, streaming: state == .streaming)) }
        // close_notify came with the last bytes; the upstream's FIN may not follow before ours.
        if transport?.inputEnded == true { inputEnded() }
    }

    private func inputEnded() {
        let isStreaming = state == .streaming
        if case .end = parser.endOfInput(), isStreaming { return bodyEnded() }
        end(
            isStreaming
                ? StreamFault(.cut, "the upstream cut the stream")
                : StreamFault(.connect, "the upstream closed the connection without an answer"))
    }

    /// After a pause: first what is held, then the socket.
    func readOn() {
        let socket = socket
        inflated = 0
        if let inflater {
            var body = ByteQueue()
            swap(&body, &heldBody)
            unsafe body.withBytes { unsafe inflate($0, inflater) }
            guard goesOn(socket) else { return }
        }
        var waiting = ByteQueue()
        swap(&waiting, &held)
        unsafe waiting.withBytes { unsafe parse($0) }
        guard goesOn(socket) else { return }
        settle()
        guard goesOn(socket) else { return }
        do {
            let isBlocked = transport?.isBlocked == true
            try transport?.register(isBlocked ? [.read, .write] : .read, context)
        } catch {
            end(StreamFault(.system(error), streaming: true))
        }
    }

    private func parse(_ input: UnsafeRawBufferPointer) {
        let socket = socket
        var offset = 0
        // To the end and once beyond it: a body may be complete without another byte.
        while true {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: input[offset...])
            let (event, consumed) = unsafe parser.parse(rest)
            offset += consumed
            switch event {
            case .needMore: return
            case .informational: break
            case .head(let head): accept(head)
            case .body(let range): unsafe take(UnsafeRawBufferPointer(rebasing: rest[range]))
            case .end: return bodyEnded()
            case .failed(let error): return end(StreamFault(.http, "the upstream's answer is no HTTP: \(error.reason)"))
            }
            guard goesOn(socket) else {
                if isPaused, socket == self.socket {
                    unsafe held.append(UnsafeRawBufferPointer(rebasing: input[offset...]))
                }
                return
            }
        }
    }

    private func accept(_ head: ResponseHead) {
        switch ResponseVerdict(head, unixSeconds: WallClock.nowMilliseconds() / 1000) {
        case .stream(let coding):
            do throws(InflateError) {
                inflater = try Inflater(coding)
            } catch {
                return end(StreamFault(.coding, "\(error)"))
            }
            state = .streaming
            lastHeard = context.now
            dedupe.connected()
            context.counters.feeds.connected &+= 1
            report(.opened(head))
        case .redirect(let status, let location):
            do throws(StreamFault) {
                try redirects.follow(status: status, location: location)
            } catch {
                return end(error)
            }
            context.counters.feeds.redirected &+= 1
            drop()
            lookUp(redirects.place.url)
        case .fault(let fault): end(fault)
        }
    }

    private func take(_ body: UnsafeRawBufferPointer) {
        if let inflater { return unsafe inflate(body, inflater) }
        var items: [Item] = []
        // Reported only when the parser is done: whoever is told may command this client.
        unsafe events.parse(body) { collect($0, &items) }
        if !items.isEmpty { report(.received(items)) }
    }

    /// Decodes and reports in steps, so that content which inflates a thousandfold takes no memory.
    private func inflate(_ body: UnsafeRawBufferPointer, _ inflater: Inflater) {
        let socket = socket
        var used = 0
        var isDone = false
        while !isDone {
            var items: [Item] = []
            var bytes = 0
            var fault: StreamFault?
            isDone = true
            do throws(InflateError) {
                used += unsafe try inflater.decode(UnsafeRawBufferPointer(rebasing: body[used...])) { piece in
                    bytes += piece.count
                    unsafe events.parse(piece) { collect($0, &items) }
                    isDone = bytes < LoopContext.inputSize
                    return isDone
                }
            } catch {
                isDone = true
                fault = StreamFault(.coding, "\(error)")
            }
            if !items.isEmpty { report(.received(items)) }
            inflated += bytes
            // Not by the piece alone: one read may hold thousands of small chunks.
            if fault == nil, inflated >= Self.bytesInTurn, socket == self.socket, state == .streaming { yieldTurn() }
            guard goesOn(socket) else {
                if isPaused, socket == self.socket {
                    unsafe heldBody.append(UnsafeRawBufferPointer(rebasing: body[used...]))
                }
                return
            }
            if let fault { return end(fault) }
        }
    }

    private func collect(_ item: EventParser.Item, _ items: inout [Item]) {
        switch item {
        case .event(let event):
            heard(event: true)
            switch event.hasOwnID ? dedupe.admit(event.lastEventID) : .new {
            case .new: break
            case .repeated: items.append(.repeatsIDs)
            case .duplicate:
                context.counters.feeds.duplicates &+= 1
                items.append(.duplicate)
                return
            }
            if event.wasRepaired { context.counters.repairedEvents &+= 1 }
            items.append(.event(event))
        case .comment(let text):
            heard(event: false)
            items.append(.comment(text))
        case .retry(let milliseconds):
            obey(retryMilliseconds: milliseconds)
            items.append(.retry(milliseconds: milliseconds))
        case .lineTooLong, .eventTooLong:
            context.counters.oversizedEvents &+= 1
            items.append(.oversized)
        }
    }

    private func bodyEnded() {
        do throws(InflateError) {
            try inflater?.finish()
        } catch {
            return end(StreamFault(.coding, "\(error)"))
        }
        end(StreamFault(.ended, "the upstream ended the stream", outcome: .endedCleanly))
    }
}
