internal import Logging
internal import SluiceHTTP
internal import SluiceIO

/// What the access log is told beside a stream's own doings.
extension Worker {
    /// Topics of one request that are told of.
    private static let mostTopics = 16

    func note(_ exchange: Exchange, in record: AccessRecord) {
        record.asked(exchange.head)
        record.requestID = exchange.requestID
        if exchange.head.fields.has(.traceparent) { record.trace = exchange.trace }
    }

    /// What is subscribed to, but where the parameter that chose it is masked.
    func note(_ topics: [String], of target: Plan.Target, in record: AccessRecord?) {
        guard let record, let access = context.access else { return }
        if case .choose(let query, _) = target, access.mask.hides(Array(query.utf8)) { return }
        record.topics = topics
    }

    /// What was published to, but where the parameter that names it is masked.
    func note(_ batch: EncodedBatch, isNamedByQuery: Bool, in record: AccessRecord) {
        if isNamedByQuery, context.access?.mask.hides(Array("topic".utf8)) == true { return }
        record.topics = batch.shares.prefix(Self.mostTopics).map(\.topic.name)
    }

    /// What came was no request, and there is no stream on which it was answered.
    func logNoRequest(_ connection: ConnectionPointer, status: UInt16, bytes: Int) {
        guard let access = context.access else { return }
        var line = AccessLine(event: .request)
        line.client = connection.value.peer.ip?.description
        line.status = status
        line.bytes = bytes
        line.duration = 0
        access.write(line)
    }
}

extension AccessSink {
    /// Opens the file.
    /// - Returns: `nil` where nothing is to be logged.
    init?(_ options: AccessLogOptions, _ logger: Logger) throws(SluiceError) {
        let place: AppendedFile.Place
        switch options.destination.kind {
        case .off: return nil
        case .standardOutput: place = .standardOutput
        case .file(let path): place = .path(path)
        }
        let file: AppendedFile
        do throws(Errno) {
            file = try AppendedFile(place)
        } catch {
            throw SluiceError(.system, "the access log (\(place)) cannot be opened: \(error)")
        }
        format = options.format
        mask = TokenMask(options.mask)
        writer = LineWriter(file) { trouble, lost in
            logger.error(
                "access log: \(Self.words(for: trouble))",
                metadata: ["file": "\(place)", "lost_lines": "\(lost)"])
        }
    }

    private static func words(for trouble: LineWriter.Trouble) -> String {
        switch trouble {
        case .behind: "lines are lost, as it takes them too slowly"
        case .cannotWrite(let errno): "lines are lost: \(errno)"
        case .cannotReopen(let errno): "it cannot be opened again, the old file stays in use: \(errno)"
        }
    }
}
