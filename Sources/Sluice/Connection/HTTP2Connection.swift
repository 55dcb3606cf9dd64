internal import SluiceHTTP

/// An HTTP/2 connection's engine and its streams.
final class HTTP2Connection {
    let session: HTTP2Session
    /// Those that are open, in no order.
    private(set) var streams: [Place<Stream>] = []
    /// Already on the worker's list of connections with frames to send.
    var isListed = false
    /// Streams wait until the transport has taken the frames there are.
    var hasWaiting = false
    /// The client was told to open no more streams.
    var isDraining = false
    /// When a head was begun that is not whole yet; 0: none was.
    var headSince: UInt64 = 0
    /// When the client last sent something, in milliseconds.
    var lastInput: UInt64
    /// Since when there is no stream, where there is none.
    private(set) var idleSince: UInt64

    init(limits: HTTP2Limits, now: UInt64) throws(HTTP2Error) {
        session = try HTTP2Session(limits: limits)
        lastInput = now
        idleSince = now
    }

    /// Whether more of a body may be kept, of which each may have `limit` bytes: four whole ones at once.
    func hasRoom(for count: Int, atMost limit: Int) -> Bool {
        let kept = streams.reduce(0) { $0 + ($1.value.exchange?.body.count ?? 0) }
        return kept + count <= 4 * min(limit, 1 << 40)
    }

    /// Bytes of answers that wait for the client's windows, of all streams together, beyond which files stay in their
    /// files: a hundred streams would else make a megabyte a connection out of requests alone.
    static let mostWaiting = 512 * 1024

    /// Whether so many bytes more may wait for the client's windows.
    func mayWait(_ count: Int) -> Bool {
        streams.reduce(count) { $0 + $1.value.waitingFootprint } <= Self.mostWaiting
    }

    func insert(_ stream: Place<Stream>) {
        stream.value.place = streams.count
        streams.append(stream)
    }

    func remove(_ stream: Place<Stream>, now: UInt64) {
        idleSince = now
        let place = stream.value.place
        guard let last = streams.popLast(), last != stream else { return }
        streams[place] = last
        last.value.place = place
    }
}
