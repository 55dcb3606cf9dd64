internal import Logging
internal import SluiceHTTP
internal import SluiceIO

/// Files of folders.
extension Worker {
    /// Bytes of files that are read in one tick, of all streams together: about a millisecond, so that events do not
    /// wait for downloads. First pieces may be as much again, and whoever asks for more in a row gets it in turn.
    static let fileBytesPerTick = 1 << 20
    /// What a piece costs at least, in bytes of that: a client may take one byte at a time.
    static let leastPieceCost = 4096
    /// Bytes that are kept in memory where the client does not take them: what goes out with the head, and ends of files,
    /// so that who takes nothing of a small file does not keep it open.
    static let mostKept = 32 * 1024

    func serveFile(_ stream: StreamPointer, _ exchange: Exchange, _ files: PlannedFiles) {
        guard exchange.head.method == .get || exchange.head.method == .head else {
            exchange.commonFields.append(.allow, "GET, HEAD")
            return respond(stream, exchange, status: 405, text: "files are only read")
        }
        guard let path = files.path(of: exchange.head) else { return fileFailed(stream, exchange, .notFound) }
        guard let seat = plan.fileSeats.take() else {
            return fileFailed(stream, exchange, status: 503, reason: "all files that may be open are")
        }
        let root: RootFolder
        do throws(Errno) {
            root = try files.root()
        } catch {
            return fileFailed(
                stream, exchange, status: error.fileStatus == 503 ? 503 : 500,
                reason: "the folder \(files.options.root) cannot be opened: \(error)")
        }
        do throws(Errno) {
            let acceptsGzip = AcceptEncoding.allowsGzip(exchange.head.fields.all(.acceptEncoding))
            switch try files.find(path, in: root, acceptsGzip: acceptsGzip) {
            case .folder: redirectToFolder(stream, exchange)
            case .file(let file, _, let type, let isGzip):
                if files.options.precompressed { sayVariesByEncoding(exchange) }
                var answer = FileAnswer(
                    to: exchange.head, file.facts, type: type, isEncoded: isGzip,
                    cacheControl: files.options.cacheControl, now: WallClock.nowMilliseconds() / 1000,
                    boundary: Self.boundary())
                if isGzip, answer.status < 300 { answer.fields.append(.contentEncoding, "gzip") }
                send(answer, FileTransfer(file, answer.body, seat), stream, exchange)
            }
        } catch {
            fileFailed(stream, exchange, error)
        }
    }

    private static func boundary() -> String {
        let bytes = HexText.bytes(.random(in: 0 ... .max)) + HexText.bytes(.random(in: 0 ... .max))
        return String(decoding: bytes, as: UTF8.self)
    }

    private func fileFailed(_ stream: StreamPointer, _ exchange: Exchange, _ error: Errno) {
        fileFailed(stream, exchange, status: error.fileStatus, reason: "\(error)")
    }

    private func fileFailed(_ stream: StreamPointer, _ exchange: Exchange, status: UInt16, reason: String) {
        if status >= 500 {
            if status == 503 { exchange.commonFields.append(.retryAfter, "1") }
            if context.now >= filesSaidAt &+ 1000 {
                filesSaidAt = context.now
                logger.error("a file cannot be read", metadata: ["reason": "\(reason)"])
            }
        }
        let text =
            switch status {
            case 404: "nothing is served at this path"
            case 403: "this file may not be read"
            case 503: "too many files are open"
            default: "the file cannot be read"
            }
        respond(stream, exchange, status: status, text: text)
    }

    /// The index's own links are relative to the folder, which browsers know by the slash alone.
    private func redirectToFolder(_ stream: StreamPointer, _ exchange: Exchange) {
        guard let path = exchange.path else { return fileFailed(stream, exchange, .notFound) }
        var location = Array(path.bytes) + [UInt8(ascii: "/")]
        // Behind two slashes browsers read a host.
        guard !location.starts(with: "//".utf8) else { return fileFailed(stream, exchange, .notFound) }
        if let query = exchange.head.query { location += [UInt8(ascii: "?")] + query }
        exchange.commonFields.append(.location, location)
        respond(stream, exchange, status: 308, text: "see \(String(decoding: location, as: UTF8.self))")
    }

    // MARK: Sending

    private func send(
        _ answer: FileAnswer, _ transfer: FileTransfer, _ stream: StreamPointer, _ exchange: Exchange
    ) {
        guard answer.status < 400 else {
            answer.fields.forEach { id, _, value in exchange.commonFields.append(id, value) }
            let text = answer.status == 412 ? "the file has changed" : "the file has no such part"
            return respond(stream, exchange, status: answer.status, text: text)
        }
        guard answer.status != 304 else {
            return respond(stream, exchange, status: 304, fields: answer.fields, body: [])
        }
        let isHTTP1 = stream.value.number == 0
        let hasBody = exchange.head.method != .head && !transfer.isOver
        let length = transfer.body.left
        let isKept = mayKeepRest(stream, transfer)
        var first = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        if isHTTP1 || isKept, hasBody, fileBytesBegun < Worker.fileBytesPerTick {
            do throws(FileBody.Fault) {
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: fileBuffer.bytes[..<Worker.mostKept])
                let count = try unsafe transfer.fill(room)
                unsafe first = UnsafeRawBufferPointer(rebasing: room[..<count])
                transfer.sent(count, of: count)
                fileBytesBegun += max(count, Worker.leastPieceCost)
            } catch {
                return fileFailed(stream, exchange, status: 500, reason: error.description)
            }
        }
        let goesOn = hasBody && !transfer.isOver
        guard !goesOn || isKept || transfer.keepsOpen(for: fileClient(stream)) else {
            return fileFailed(stream, exchange, status: 503, reason: "a client has its part of all open files")
        }
        exchange.wasAnswered = true
        if exchange.head.expectsContinue, !exchange.bodyEnded {
            // The client was not told to go on, so whether its body still comes is unknown.
            stream.value.closesAfterResponse = true
        }
        var head = ResponseHead(status: answer.status, fields: answer.fields)
        finish(&head, exchange)
        head.version = exchange.head.version
        head.body = .length(length)
        head.keepAlive = !stream.value.closesAfterResponse
        stream.value.framing = .untilClose
        unsafe stream.value.begin(head, part: first, isLast: !goesOn, answering: exchange.head.method, context)
        guard goesOn else { return finishIfWritten(stream) }
        if exchange.bodyEnded { stream.value.timer.at = 0 }
        exchange.handler = FileLink(transfer) { [unowned self, stream] in queueFile(stream, transfer) }
        queueFile(stream, transfer)
    }

    private func queueFile(_ stream: StreamPointer, _ transfer: FileTransfer) {
        guard !transfer.isQueued else { return }
        transfer.isQueued = true
        fileQueue.append(stream.value.token)
    }

    /// A piece of each file whose client takes bytes, as far as the tick reaches.
    func continueFiles() {
        fileBytesBegun = 0
        guard !fileQueue.isEmpty else { return }
        let turn = fileQueue
        fileQueue.removeAll(keepingCapacity: true)
        var read = 0
        for (index, token) in turn.enumerated() {
            guard read < Worker.fileBytesPerTick else {
                fileQueue.insert(contentsOf: turn[index...], at: 0)
                return
            }
            guard let stream = streams.find(token), !stream.value.isOver, let exchange = stream.value.exchange,
                let link = exchange.handler as? FileLink
            else { continue }
            link.transfer.isQueued = false
            guard !stream.value.connection.value.isDoomed else { continue }
            read += sendPiece(stream, exchange, link.transfer)
        }
    }

    /// Whether what is left of a file may be read at once, and kept in memory where its client does not take it.
    private func mayKeepRest(_ stream: StreamPointer, _ transfer: FileTransfer) -> Bool {
        guard transfer.body.left <= UInt64(clamping: Worker.mostKept) else { return false }
        return stream.value.connection.value.http2?.mayWait(Int(clamping: transfer.body.left)) ?? true
    }

    /// Who is to have a part of all open files: a client's address, or a connection where there is none.
    private func fileClient(_ stream: StreamPointer) -> LimitKey {
        guard let address = client(of: stream) else {
            return LimitKey(named: "\(index) \(stream.value.connection.value.token.packed(.connection))".utf8)
        }
        return LimitKey(address)
    }

    /// - Returns: what it cost, in bytes that were read.
    private func sendPiece(_ stream: StreamPointer, _ exchange: Exchange, _ transfer: FileTransfer) -> Int {
        if stream.value.hasFailed {
            abandon(stream)
            return 0
        }
        let left = transfer.body.left
        let isKept = mayKeepRest(stream, transfer)
        guard isKept || !stream.value.isBlocked else {
            watchIfBlocked(stream)
            return 0
        }
        guard isKept || transfer.keepsOpen(for: fileClient(stream)) else {
            // Of a small file that was begun when there still was memory for it.
            breakOff(stream, exchange, .refused, "a client has its part of all open files")
            return 0
        }
        // One byte at least, lest nobody hear of the window that opens.
        let size = isKept ? Int(clamping: left) : min(transfer.pieceSize, max(1, stream.value.room ?? .max))
        let count: Int
        do throws(FileBody.Fault) {
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: fileBuffer.bytes[..<size])
            count = try unsafe transfer.fill(room)
            let piece = unsafe UnsafeRawBufferPointer(rebasing: room[..<count])
            let isLast = UInt64(clamping: count) == left
            if isKept, isLast {
                stream.value.isFinishing = true
                unsafe stream.value.writePrivate(piece, context)
                transfer.sent(count, of: count)
            } else {
                // Over HTTP/2 the end goes with the last bytes.
                transfer.sent(unsafe stream.value.write(piece, isLast: isLast, context), of: count)
            }
        } catch {
            breakOff(stream, exchange, error == .shrunk ? .fileChanged : .fileUnreadable, error.description)
            return 0
        }
        if stream.value.hasFailed {
            abandon(stream)
        } else if transfer.isOver {
            exchange.handler = nil
            stream.value.isFinishing = true
            finishIfWritten(stream)
        } else if stream.value.isBlocked {
            watchIfBlocked(stream)
        } else {
            queueFile(stream, transfer)
        }
        return max(count, Worker.leastPieceCost)
    }

    /// What was announced cannot be sent any more: the client has to see that the answer is not whole.
    private func breakOff(_ stream: StreamPointer, _ exchange: Exchange, _ reason: EndReason, _ words: String) {
        logger.warning(
            "a file was broken off",
            metadata: [
                "path": "\(String(decoding: exchange.head.path, as: UTF8.self))", "reason": "\(words)",
            ])
        stream.value.record?.ends(reason)
        exchange.handler = nil
        finishStream(stream, isAborted: true)
    }
}

/// What a stream tells the file that it sends.
final class FileLink: HandlerExchange {
    let transfer: FileTransfer
    private let goOn: () -> Void

    init(_ transfer: FileTransfer, goOn: @escaping () -> Void) {
        self.transfer = transfer
        self.goOn = goOn
    }

    var endsWithClient: Bool { false }
    // Who asks with `Connection: close` and ends its side still wants the file.
    var comesToAnEnd: Bool { true }
    func clientLeft() {}
    func bodyPart(_ bytes: UnsafeRawBufferPointer) {}
    func bodyArrived(_ bytes: [UInt8]) {}
    func bodyTooLarge() {}
    func becameWritable() { goOn() }
    func deadlinePassed() {}
    func drain() {}
}

/// Room for a piece of a file: one for all files of a worker, made when the first is sent.
@safe final class FileBuffer {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: FileTransfer.mostPiece, alignment: 4096)

    deinit { unsafe bytes.deallocate() }
}
