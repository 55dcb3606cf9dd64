import Logging
import SluiceIO
import Testing

@testable import Sluice

/// A keeper and the server that it asks.
final class KeeperFixture: LoopFixture, UpstreamKeeper.Owner {
    private(set) var pool: UpstreamPool
    private(set) lazy var keeper = UpstreamKeeper(
        [pool], context: context, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, owner: self)
    /// What was looked up, by the keeper's numbers.
    private(set) var lookups: [(host: String, name: Int)] = []
    private(set) var grants: [Grant] = []

    /// - Parameter server: `nil`: the fixture's own.
    init(_ server: String? = nil, scheme: String = "http", _ change: (inout UpstreamOptions) -> Void = { _ in }) throws
    {
        pool = try UpstreamPool(name: "none", options: UpstreamOptions(servers: []))
        try super.init()
        var options = UpstreamOptions(servers: [server ?? "\(scheme)://127.0.0.1:\(port)"])
        var check = HealthCheck(path: "/healthz?deep")
        (check.fall, check.rise) = (1, 1)
        options.healthCheck = check
        change(&options)
        pool = try UpstreamPool(name: "app", options: options)
    }

    override func ready(token: UInt64, events: Selector.Events) {
        let (kind, unpacked) = Token.unpack(token)
        if kind == .probe { keeper.ready(unpacked, events) } else { super.ready(token: token, events: events) }
    }

    override func timerFired(token: UInt64) { keeper.timerFired(Token.unpack(token).token) }

    var isUp: Bool { pool.endpoints().allSatisfy(\.isUp) }

    /// The clock moves on to the next check, which connects.
    func nextCheck() throws -> Exchange {
        clock.advance(milliseconds: 5000)
        return try accept()
    }

    func down() throws { try run { !isUp } }
    func up() throws { try run { isUp } }

    // MARK: UpstreamKeeper.Owner

    func resolve(_ keeper: UpstreamKeeper, host: String, port: UInt16, name: Int) { lookups.append((host, name)) }
    func settle(_ grants: [Grant], of pool: UpstreamPool) { self.grants += grants }
}
