internal import SluiceHTTP

/// A request that is passed on: what its stream and its upstream connection have to know of each other.
final class ProxiedExchange {
    /// The downstream side.
    let stream: Token
    let target: PlannedProxy
    let request: UpstreamRequest
    /// For the choice of a server.
    let hash: UInt64?

    /// The server that serves it, while one does.
    var lease: Lease?
    /// The upstream side, while there is one.
    var connection: UpstreamConnection?
    /// It stands in the pool's queue.
    var isWaiting = false
    /// Endpoints that failed.
    var tried: [UInt32] = []
    var retries: RetryRule
    /// An attempt failed. The next one gets a connection of its own: kept ones may all be as stale as the first.
    var isRetry = false
    var progress = RetryRule.Progress()
    /// The request has been written, its body too.
    var hasSentAll = false
    /// The client of a tunnel ended its side; what it sent before is on its way.
    var clientEnded = false

    /// An answer's head that leaves together with the first bytes of its body.
    var waitingHead: ResponseHead?
    var kind = UpstreamResponse.Kind.ordinary
    var boundary = EventBoundary()
    /// A heartbeat came before the first byte of the answer.
    var beganWithHeartbeat = false
    /// When the client was last sent something, in milliseconds.
    var lastSent: UInt64 = 0

    init(stream: Token, target: PlannedProxy, request: consuming UpstreamRequest, hash: UInt64?) {
        self.stream = stream
        self.target = target
        retries = RetryRule(method: request.head.method, retries: target.pool.options.retries)
        self.request = request
        self.hash = hash
    }
}

/// A route's proxy target, ready for use.
final class PlannedProxy: Sendable {
    /// The pool's place among all pools.
    let index: Int
    let pool: UpstreamPool
    /// Milliseconds between heartbeats; 0: none.
    let heartbeat: UInt64
    /// What a stream of events ends with when its upstream is lost between two of them; empty: it ends as what it is.
    let lastWords: [UInt8]
    /// Protocols that may be changed to, in small letters.
    let upgrades: [String]

    init(index: Int, pool: UpstreamPool, heartbeat: UInt64, lastWords: [UInt8], upgrades: [String]) {
        self.index = index
        self.pool = pool
        self.heartbeat = heartbeat
        self.lastWords = lastWords
        self.upgrades = upgrades
    }
}
