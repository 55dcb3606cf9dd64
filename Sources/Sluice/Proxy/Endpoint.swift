internal import SluiceIO

/// One address of one server: how much it has to do, and how it is.
struct Endpoint: Sendable {
    let id: UInt32
    let server: Int
    let address: SocketAddress
    /// Its part in the order that a hash gives.
    let seed: UInt64
    /// Requests that it has at the moment.
    var requests = 0

    /// Active checks say that it is down.
    private(set) var isDown = false
    /// Checks one after the other that said otherwise.
    private var contrary = 0
    /// Requests one after the other that failed.
    private var failures = 0
    /// While others serve it gets no requests before this time, and then one at a time, until one succeeds.
    private(set) var ejectedUntil: UInt64?
    /// The last lease before it was ejected: those after it decide.
    private var ejectedAfter: UInt64 = 0
    /// The one request at a time.
    private var trial: UInt64?

    init(id: UInt32, server: Int, url: String, address: SocketAddress) {
        self.id = id
        self.server = server
        self.address = address
        // The URL too: two names may have one address.
        seed = StableHash.of("\(url) \(address)".utf8)
    }

    var isUp: Bool { !isDown && ejectedUntil == nil }

    /// Whether it may get a request now, whoever else there is.
    func isUsable(at now: UInt64) -> Bool {
        guard let ejectedUntil else { return !isDown }
        return !isDown && trial == nil && ejectedUntil <= now
    }

    mutating func began(_ lease: UInt64, now: UInt64) {
        requests += 1
        if let ejectedUntil, trial == nil, ejectedUntil <= now { trial = lease }
    }

    /// - Parameter last: the number of the last lease that was given out.
    mutating func ended(_ lease: UInt64, _ outcome: ExchangeOutcome, _ rule: PassiveHealth, now: UInt64, last: UInt64) {
        requests -= 1
        if trial == lease { trial = nil }
        // Requests that began before it was ejected say nothing new.
        if ejectedUntil != nil, lease <= ejectedAfter { return }
        switch outcome {
        case .success: forgive()
        case .failure:
            failures &+= 1
            guard rule.failures > 0, failures >= rule.failures else { return }
            if ejectedUntil == nil { ejectedAfter = last }
            ejectedUntil = now &+ rule.duration.milliseconds
        case .neutral: break
        }
    }

    mutating func probed(isUp: Bool, _ rule: HealthCheck) {
        guard isUp == isDown else { return contrary = 0 }
        contrary += 1
        guard contrary >= (isUp ? rule.rise : rule.fall) else { return }
        contrary = 0
        isDown = !isUp
        // What happened to requests before is outdated.
        if isUp { forgive() }
    }

    private mutating func forgive() {
        failures = 0
        ejectedUntil = nil
        trial = nil
    }
}
