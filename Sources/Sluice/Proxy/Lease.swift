internal import SluiceIO

/// The right to send one request to one endpoint. It is given back, once.
struct Lease: Sendable, Equatable {
    /// A stable id, never used again.
    let endpoint: UInt32
    /// The index of its server.
    let server: Int
    let address: SocketAddress
    /// Tells leases of one endpoint apart, so that one given back twice counts once.
    var number: UInt64 = 0
}

/// What a request for a lease comes to.
enum LeaseOutcome: Sendable, Equatable {
    case granted(Lease)
    /// A `Grant` follows, unless the wait is cancelled.
    case waiting
    /// Every server has as many requests as it may, and so has the queue.
    case full
    /// No endpoint is healthy.
    case down
    /// No server's address is known.
    case unresolved
}

/// What became of an exchange.
enum ExchangeOutcome: Sendable {
    case success
    /// No connection, no answer in time or a broken one.
    case failure
    /// Says nothing of the server: the client left.
    case neutral
}

/// A lease for one who waited.
struct Grant: Sendable, Equatable {
    let worker: Int
    let ticket: UInt64
    let lease: Lease
}
