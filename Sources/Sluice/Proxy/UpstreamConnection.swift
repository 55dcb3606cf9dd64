internal import SluiceHTTP
internal import SluiceIO

/// One connection to a server of a pool.
final class UpstreamConnection {
    /// Where it is in its life.
    enum Phase {
        case connecting
        case handshaking
        /// A request is under way.
        case busy
        /// It waits for the next request.
        case idle
        /// Both sides changed to another protocol.
        case tunnel
    }

    var transport: Transport
    let token: Token
    /// Whose it is.
    let place: UpstreamPlace
    /// Those to the same endpoint, itself among them.
    let siblings: Siblings
    var phase = Phase.connecting
    var parser: ResponseParser
    /// What it works for.
    var exchange: ProxiedExchange?
    var timer = Deadline()
    /// It served a request before: it may have been closed in the meantime.
    var isReused = false
    /// Something of the answer to its request has come.
    var hasSpoken = false
    /// The client does not take what there is already.
    var isPaused = false
    /// The selector tells nothing of it: it is broken, and what it said before is read when its turn comes.
    var isUnwatched = false
    /// The answer lets it serve another request.
    var staysOpen = false
    /// The server's word on how long it keeps an idle connection, in milliseconds.
    var keepAliveMilliseconds: UInt64?

    /// Whether its end says nothing of its server, which may close what was kept at any time.
    var isStale: Bool { isReused && !hasSpoken }

    init(
        _ transport: consuming Transport, token: Token, place: UpstreamPlace, siblings: Siblings, limits: HTTP1Limits
    ) {
        self.transport = transport
        self.token = token
        self.place = place
        self.siblings = siblings
        parser = ResponseParser(limits: limits)
    }
}

/// A worker's connections to one endpoint.
final class Siblings {
    var count = 0
    /// Those that wait for the next request, the youngest last.
    var idle: [Token] = []
}

/// An endpoint of a pool.
struct UpstreamPlace: Hashable {
    let pool: Int
    let endpoint: UInt32
}
