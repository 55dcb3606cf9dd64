internal import SluiceHTTP
internal import Synchronization

/// What a compressed stream gets that nobody else does: its beginning, heartbeats, gaps, its end.
extension HubShard {
    private static let blockLevel: Int32 = 6
    /// A small table: emptying it after each event costs less than what it finds in 150 bytes is worth.
    private static let blockMemoryLevel: Int32 = 5

    /// Whether streams can be compressed here. The first question makes the compressor.
    var canCompress: Bool {
        if run.deflater == nil {
            let deflater = try? Deflater(level: HubShard.blockLevel, memoryLevel: HubShard.blockMemoryLevel)
            for run in [run, blockRun, windowRun] { run.deflater = deflater }
        }
        return run.deflater != nil
    }

    /// A heartbeat as every compressed stream gets it.
    private static let comment: [UInt8] = [0x3A, 0x0A]
    private static let heartbeatBlock = Gzip.stored(comment)
    private static let heartbeatStretch = GzipStretch(comment)

    /// Bytes of a stream's own as they are written to it. They are written, whoever asks.
    func coded(_ bytes: [UInt8], for subscriber: Place<Subscriber>) -> [UInt8] {
        guard subscriber.value.isCompressed, !bytes.isEmpty, let deflater = run.deflater else { return bytes }
        subscriber.value.gzip.add(GzipStretch(bytes))
        return deflater.compress(bytes, .full)
    }

    /// A heartbeat as it is written to a stream, likewise.
    func codedHeartbeat(for subscriber: Place<Subscriber>) -> [UInt8] {
        guard subscriber.value.isCompressed else { return HubShard.comment }
        subscriber.value.gzip.add(HubShard.heartbeatStretch)
        return HubShard.heartbeatBlock
    }

    /// The first bytes of a stream.
    func codedOpening(_ bytes: [UInt8], for subscriber: Place<Subscriber>) -> [UInt8] {
        (subscriber.value.isCompressed ? Gzip.header : []) + coded(bytes, for: subscriber)
    }

    /// What ends a stream whose body is whole; nothing where it did not begin.
    func codedEnd(of subscriber: Place<Subscriber>) -> [UInt8] {
        guard subscriber.value.isCompressed, subscriber.value.opening == nil else { return [] }
        return Gzip.end(checksum: subscriber.value.gzip.checksum, count: subscriber.value.gzip.count)
    }

    /// The run that is gathered for streams like this one. They lie among others, each of which would gather anew.
    /// Unmanaged, for what is called for each delivery.
    @inline(__always)
    func run(for subscriber: Place<Subscriber>) -> Unmanaged<Run> {
        guard subscriber.value.isCompressed else { return unsafe Unmanaged.passUnretained(run) }
        return unsafe Unmanaged.passUnretained(subscriber.value.gzip.window == 0 ? blockRun : windowRun)
    }

    /// Counts the subscribers of topics, and those for whom a topic's window is.
    func count(_ subscriber: Place<Subscriber>, of audience: Audience, _ change: Int) {
        for topic in audience.topics {
            hub.count(topic, change)
            if subscriber.value.isCompressed, audience.topics.count == 1 {
                topic.compressedStreams.add(change, ordering: .relaxed)
            }
        }
    }
}
