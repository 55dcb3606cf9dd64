/// What a client may make us do for nothing, as one bucket of points. Frames that bring nothing cost, by how much work
/// they make; time, requests that are served and bytes that are sent fill it again. Who talks to us for a reason is
/// paid for by what it gets; who only makes us work runs dry, and is told ENHANCE_YOUR_CALM (RFC 9113, 10.5).
///
/// Most attacks on HTTP/2 are this one: rapid reset, resets that we are made to send (MadeYouReset), PING, SETTINGS,
/// PRIORITY and WINDOW_UPDATE floods, empty DATA frames, unknown frames.
struct FloodBudget: Sendable, Equatable {
    /// 1000 PING frames or 333 resets at once.
    static let capacity = 20_000
    /// 250 PING frames or 83 resets each second.
    static let pointsPerMillisecond = 5

    private(set) var points = capacity
    /// WINDOW_UPDATE frames that what we sent has paid for. Without a ceiling: a client that slept may answer many
    /// seconds of our DATA frames at once, and owes them all to us.
    private(set) var windowUpdates = 0
    private var time: UInt64 = 0

    /// Whether the client went too far.
    var isSpent: Bool { points < 0 }

    /// Time fills the bucket.
    mutating func advance(to milliseconds: UInt64) {
        guard milliseconds > time else { return }
        let full = UInt64(FloodBudget.capacity / FloodBudget.pointsPerMillisecond)
        let passed = time == 0 ? 0 : min(milliseconds &- time, full)
        time = milliseconds
        earn(Int(passed) &* FloodBudget.pointsPerMillisecond)
    }

    /// A DATA frame was sent: it may be answered by an update of the stream's and one of the connection's window, and
    /// by one more for each KiB, when the client reads in small pieces.
    @inline(__always)
    mutating func sent(_ bytes: Int) {
        windowUpdates = min(windowUpdates &+ 2 &+ bytes >> 10, 1 << 40)
        earn(bytes >> 6)
    }

    /// A request had its whole response.
    mutating func served() { earn(40) }

    /// A frame came.
    mutating func charge(_ frame: FrameHead) {
        switch frame.type {
        case .data: chargeData(frame)
        case .headers, .continuation: spend(1 &+ frame.length >> 9)
        case .windowUpdate:
            if windowUpdates > 0 { windowUpdates &-= 1 } else { spend(1) }
        case .resetStream: spend(60)
        case .settings: spend(frame.isACK ? 1 : 40)
        case .ping: spend(20)
        case .priority, .pushPromise, .goAway, .unknown: spend(2 &+ frame.length >> 9)
        }
    }

    /// A header block was decoded. A few bytes of it may have become many.
    mutating func chargeDecoded(_ bytes: Int) { spend(bytes >> 9) }

    /// The client made us reset a stream, or refuse its head.
    mutating func chargeRefusal() { spend(60) }

    private mutating func chargeData(_ frame: FrameHead) {
        if frame.length == 0 {
            spend(frame.endsStream ? 1 : 20)
        } else if frame.length < 16 {
            spend(1)
        }
    }

    @inline(__always)
    private mutating func earn(_ count: Int) { points = min(points &+ count, FloodBudget.capacity) }

    private mutating func spend(_ count: Int) { points = max(points &- count, -1) }
}
