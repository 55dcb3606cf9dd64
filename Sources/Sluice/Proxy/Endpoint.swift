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
    /// It gets no requests before this time, and then only trials, until one succeeds.
    private var ejectedUntil: UInt64?
    /// The lease whose request decides.
    private var trial: UInt64?

    init(id: UInt32, server: Int, url: String, address: SocketAddress) {
        self.id = id
        self.server = server
        self.address = address
        // The URL too: two names may have one address.
        seed = StableHash.of("\(url) \(address)".utf8)
    }

    var isUp: Bool { !isDown && ejectedUntil == nil }

    /// Whether it may get a request now.
    func isUsable(at now: UInt64) -> Bool {
        guard let ejectedUntil else { return !isDown }
        return !isDown && trial == nil && ejectedUntil <= now
    }

    mutating func began(_ lease: UInt64) {
        requests += 1
        if ejectedUntil != nil { trial = lease }
    }

    mutating func ended(_ lease: UInt64, _ outcome: ExchangeOutcome, _ rule: PassiveHealth, now: UInt64) {
        requests -= 1
        if ejectedUntil != nil {
            // Requests that began before it was ejected say nothing new.
            guard trial == lease else { return }
            trial = nil
            switch outcome {
            case .success: forgive()
            case .failure: eject(rule, now: now)
            case .neutral: break
            }
            return
        }
        switch outcome {
        case .success: failures = 0
        case .failure:
            failures += 1
            if rule.failures > 0, failures >= rule.failures { eject(rule, now: now) }
        case .neutral: break
        }
    }

    /// Whether it was down and is up now.
    mutating func probed(isUp: Bool, _ rule: HealthCheck) -> Bool {
        guard isUp == isDown else {
            contrary = 0
            return false
        }
        contrary += 1
        guard contrary >= (isUp ? rule.rise : rule.fall) else { return false }
        contrary = 0
        isDown = !isUp
        // What happened to requests before is outdated.
        if isUp { forgive() }
        return isUp
    }

    private mutating func eject(_ rule: PassiveHealth, now: UInt64) { ejectedUntil = now &+ rule.duration.milliseconds }

    private mutating func forgive() {
        failures = 0
        ejectedUntil = nil
        trial = nil
    }
}
