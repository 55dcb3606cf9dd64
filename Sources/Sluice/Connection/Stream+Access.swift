internal import SluiceIO

/// What the access log is told of a stream.
extension Stream {
    /// Who asks: behind a trusted proxy the client that it names; `nil` over a unix socket.
    var client: IPAddress? { countedAddress ?? connection.value.peer.ip }

    /// An answer begins that has no end to wait for.
    /// - Parameters:
    ///   - cursor: where an event stream begins.
    ///   - lastEventID: what its client brought.
    func logOpen(cursor: [UInt8]? = nil, lastEventID: [UInt8]? = nil, _ context: LoopContext) {
        guard let record, let access = context.access, !record.isOpen else { return }
        var line = record.opens(access.mask)
        line.client = client?.description
        line.cursor = cursor
        line.lastEventID = lastEventID
        access.write(line)
    }

    /// It is over.
    /// - Parameter isWhole: all that was to be said has left, whatever still waits on the connection.
    mutating func logEnd(isWhole: Bool, _ context: LoopContext) {
        guard let record, let access = context.access else { return }
        self.record = nil
        let isWhole = !isAborted && (isWhole || isFinishing && hasWrittenAll && !hasFailed)
        var line = record.closes(access.mask, isWhole: isWhole, now: context.now)
        line.client = client?.description
        // Over HTTP/2 bytes are counted when they are taken; what waits on a connection was counted before.
        line.bytes = isWhole || number != 0 ? sent : max(0, sent - connection.value.transport.waiting)
        access.write(line)
    }
}

extension Connection {
    /// Why what is open on it ends.
    func streamsEnd(_ reason: EndReason) {
        stream?.value.record?.ends(reason)
        http2?.streams.forEach { $0.value.record?.ends(reason) }
    }
}
