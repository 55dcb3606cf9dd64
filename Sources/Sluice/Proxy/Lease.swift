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
    /// Checks say of every endpoint that it is down.
    case down
    /// No server's address is known, and no first look-up is under way.
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

/// What became of one who waited: a lease, or why there will be none.
struct Grant: Sendable, Equatable {
    let worker: Int
    let ticket: UInt64
    let outcome: LeaseOutcome

    var lease: Lease? {
        if case .granted(let lease) = outcome { lease } else { nil }
    }
}
