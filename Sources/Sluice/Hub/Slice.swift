/// How much a shard writes before its loop looks at the sockets again, so that a broadcast to thousands holds up accepts,
/// handshakes, other topics and heartbeats for a few milliseconds at most. It is counted in work, not in time.
struct Slice {
    private(set) var left: Int
    /// The writes that were taken down.
    private(set) var writes: UInt64 = 0

    /// About what 256 small writes to sockets take: two milliseconds, three with TLS.
    static let whole = HubShard.slice * socketWrite
    /// A system call, where frames of HTTP/2 are only gathered.
    private static let socketWrite = 8
    private static let frame = 1

    init(_ work: Int = Slice.whole) { left = work }

    var isUsedUp: Bool { left <= 0 }

    /// Takes down a write: its call, and a unit for each KiB.
    mutating func spend(_ bytes: Int, ofSocket: Bool) {
        writes &+= 1
        left &-= (ofSocket ? Slice.socketWrite : Slice.frame) &+ bytes >> 10
    }

    /// Takes down what was compressed: 64 bytes take about as long as a unit.
    mutating func spend(compressing bytes: Int) { left &-= bytes >> 6 }
}
