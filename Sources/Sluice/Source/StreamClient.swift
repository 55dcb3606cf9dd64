internal import SluiceHTTP
internal import SluiceIO
internal import SluiceSSE

/// A robust client of one event stream: it connects, asks, reads, and comes again for ever, by the rules of
/// `FeedSchedule`. What an answer means, where redirects lead, which address is tried next and what is a duplicate are
/// values of their own; this is the machine that obeys them.
///
/// It lives on one loop's thread and tells its owner everything by reports; it knows no hub. Its owner gives it names to
/// resolve with, and hands it the selector's and timer's tokens of kind `.feed` that carry its index.
final class StreamClient {
    /// Who uses a client.
    protocol Owner: AnyObject {
        /// Looks a name up and hands the answer to `resolved`, on the loop's thread.
        func resolve(_ client: StreamClient, host: String, port: UInt16, attempt: UInt64)
        /// It may start, stop, pause and restart the client in here.
        func streamClient(_ client: StreamClient, _ report: Report)
    }

    /// What happened.
    enum Report {
        /// A stream began.
        case opened(ResponseHead)
        /// What one piece of input held, in order.
        case received([Item])
        /// A stream is over, or there was none.
        /// - Parameter retryMilliseconds: the time until the next attempt; `nil`: there will be none.
        case ended(StreamFault, retryMilliseconds: UInt64?)
    }

    /// What a stream holds.
    enum Item: Equatable {
        case event(ParsedEvent)
        /// Without its colon.
        case comment([UInt8])
        /// A new reconnection time, which is obeyed already.
        case retry(milliseconds: UInt64)
        /// An event or a comment over the limits was dropped.
        case oversized
        /// An event that the upstream had sent before the reconnect was dropped.
        case duplicate
        /// The upstream repeats ids within one connection, so duplicates are no longer looked for. Said once.
        case repeatsIDs
    }

    /// How a client behaves.
    struct Options: Sendable {
        var retry = FeedRetry()
        /// The time without a byte after which a connection counts as dead; also the time for a head. `nil`: never, and
        /// a minute for a head.
        var idleMilliseconds: UInt64? = 45_000
        /// The time for a TCP connection, and for a TLS handshake.
        var connectMilliseconds: UInt64 = 10_000
        var limits = EventParser.Limits()
        /// How many ids are kept to find duplicates after a reconnect; 0: none are looked for.
        var dedupe = 1024
    }

    enum State {
        /// Not started, or stopped by its owner.
        case idle
        case waiting
        case resolving
        case connecting
        case handshaking
        case awaitingHead
        case streaming
        /// Stopped by the upstream.
        case stopped
    }

    /// One address that is being connected to.
    final class Racer {
        let number: UInt32
        let address: SocketAddress
        let deadline: UInt64
        var transport: Transport?

        init(_ transport: consuming Transport, number: UInt32, address: SocketAddress, deadline: UInt64) {
            self.transport = consume transport
            self.number = number
            self.address = address
            self.deadline = deadline
        }
    }

    let index: UInt32
    let request: StreamRequest
    let options: Options
    let trust: StreamTrust
    let context: LoopContext
    private unowned let owner: any Owner

    var state = State.idle
    /// Why nothing is read at the moment.
    private var pauses: Set<Pause> = []
    private enum Pause {
        /// Its owner said so.
        case owner
        /// So much came out of little input that others have their turn first.
        case turn
    }
    private var schedule: FeedSchedule
    var redirects: Redirects
    var dedupe: DedupeWindow
    var events: EventParser
    /// Counts look-ups, so that a late answer to an earlier one is dropped.
    var lookup: UInt64 = 0

    var race = AddressRace([])
    var racers: [Racer] = []
    var raceReason = ""
    /// Counts sockets: events of an earlier one are dropped.
    var sockets: UInt32 = 0

    var transport: Transport?
    var socket: UInt32 = 0
    var address: SocketAddress?
    /// Where a connection was made the last time that nothing came of it.
    var avoided: SocketAddress?
    var parser = ResponseParser()
    /// Decodes the body; `nil` where it comes as it is.
    var inflater: Inflater?
    /// Bytes that it made in this turn.
    var inflated = 0
    /// What the owner has not taken when it paused: of the coded body, and the input behind it.
    var heldBody = ByteQueue()
    var held = ByteQueue()
    /// When the present step must be done.
    var deadline: UInt64 = 0
    var lastHeard: UInt64 = 0
    private var retryAt: UInt64 = 0
    private var timer: TimerWheel.ID?
    private var timerAt: UInt64 = 0

    /// - Parameter index: the index in the tokens of its sockets and its timer (`Token`, kind `.feed`).
    init(
        _ request: StreamRequest, _ options: Options, trust: StreamTrust, index: UInt32, context: LoopContext,
        owner: any Owner
    ) {
        self.request = request
        self.options = options
        self.trust = trust
        self.index = index
        self.context = context
        self.owner = owner
        schedule = FeedSchedule(options.retry)
        redirects = Redirects(request.url, method: request.method)
        dedupe = DedupeWindow(size: options.dedupe)
        events = EventParser(limits: options.limits)
    }

    /// Whether a socket is open.
    var isConnected: Bool {
        switch transport {
        case .some: true
        case .none: false
        }
    }

    /// What is sent as Last-Event-ID with the next request.
    var lastEventID: [UInt8] {
        get { events.lastEventID }
        set { events.lastEventID = newValue }
    }

    // MARK: Commands

    /// Begins, unless it has begun.
    func start(afterMilliseconds delay: UInt64 = 0) {
        guard state == .idle || state == .stopped else { return }
        wait(milliseconds: delay)
    }

    /// Drops the connection, if there is one, and makes a new one. The position in the stream stays.
    func restart(afterMilliseconds delay: UInt64 = 0) {
        drop()
        wait(milliseconds: delay)
    }

    /// Ends it; `start` begins anew, at the same position.
    func stop() {
        drop()
        state = .idle
        lookup &+= 1
        if let timer { context.loop.timers.cancel(timer) }
        timer = nil
    }

    /// Reads nothing until `resume`. What was read already and not reported is kept: less than one read.
    func pause() {
        // Nothing is read before a stream begins; and whoever paused the last one has not paused the next.
        guard state == .streaming, !pauses.contains(.owner) else { return }
        pause(.owner)
    }

    private func pause(_ reason: Pause) {
        pauses.insert(reason)
        // Not only deaf to input: a peer that is gone would be told of in every tick.
        transport?.deregister(context)
    }

    /// Goes on after `pause`.
    func resume() {
        guard pauses.contains(.owner) else { return }
        resume(.owner)
    }

    var isPaused: Bool { !pauses.isEmpty }

    /// Lets others have their turn. A timer that is due now would fire in this tick.
    func yieldTurn() {
        pause(.turn)
        deadline = context.now &+ 1
        arm()
    }

    private func resume(_ reason: Pause) {
        pauses.remove(reason)
        guard state == .streaming, pauses.isEmpty else { return }
        lastHeard = context.now
        arm()
        readOn()
    }

    // MARK: The loop

    /// The timer fired: for the next attempt, the next address, or a step that took too long.
    func timerFired() {
        timer = nil
        let now = context.now
        switch state {
        case .waiting where retryAt <= now: connect()
        case .connecting: advanceRace()
        case .handshaking where deadline <= now:
            end(StreamFault(.timeout, "the TLS handshake took too long"))
        case .awaitingHead where deadline <= now:
            end(StreamFault(.timeout, "the upstream gave no answer in time"))
        case .streaming where pauses.contains(.turn): if deadline <= now { resume(.turn) }
        case .streaming where !isPaused:
            if let idle = options.idleMilliseconds, lastHeard &+ idle <= now {
                end(StreamFault(.timeout, "nothing came for \(idle) ms"))
            }
        case .idle, .waiting, .resolving, .handshaking, .awaitingHead, .streaming, .stopped: break
        }
        arm()
    }

    private var nextDeadline: UInt64? {
        switch state {
        case .idle, .stopped, .resolving: nil
        case .waiting: retryAt
        case .connecting: (racers.map(\.deadline) + [race.nextTime].compactMap { $0 }).min()
        case .handshaking, .awaitingHead: deadline
        case .streaming where pauses.contains(.turn): deadline
        case .streaming: isPaused ? nil : options.idleMilliseconds.map { lastHeard &+ $0 }
        }
    }

    /// Sees to it that the timer fires not later than the next deadline. Bytes that come do not move it: it looks when
    /// it fires.
    func arm() {
        guard let next = nextDeadline else { return }
        if let timer {
            if timerAt <= next { return }
            context.loop.timers.cancel(timer)
        }
        timerAt = next
        timer = context.loop.timers.schedule(
            atMilliseconds: next, token: Token(index: index, generation: 0).packed(.feed))
    }

    // MARK: Ending

    private func wait(milliseconds: UInt64) {
        state = .waiting
        lookup &+= 1
        retryAt = context.now &+ min(milliseconds, 1 << 50)
        arm()
    }

    /// The attempt or the stream is over. Exactly one attempt is pending after it, or none for good.
    func end(_ fault: StreamFault) {
        guard state != .waiting, state != .stopped, state != .idle else { return }
        if state != .streaming { redirects.failed() }
        // An address that connects and then fails is not the first to be tried again.
        avoided = state == .handshaking || state == .awaitingHead ? address : nil
        if fault.cause == .tls || fault.cause == .certificate { trust.forget(at: context.now) }
        context.counters.feeds.count(fault.cause)
        drop()
        let delay = schedule.delay(after: fault.outcome, at: context.now, chance: Double.random(in: 0...1))
        if let delay {
            wait(milliseconds: delay)
        } else {
            state = .stopped
        }
        owner.streamClient(self, .ended(fault, retryMilliseconds: delay))
    }

    /// Closes whatever is open.
    func drop() {
        pauses = []
        held = ByteQueue()
        heldBody = ByteQueue()
        inflater = nil
        for racer in racers { racer.transport.take()?.deregister(context) }
        racers = []
        sockets &+= 1
        socket = sockets
        guard var old = transport.take() else { return }
        old.sayGoodbye(context)
        old.deregister(context)
    }

    // MARK: What others of this type tell

    func lookUp(_ place: FeedURL) {
        lookup &+= 1
        state = .resolving
        owner.resolve(self, host: place.host, port: place.port, attempt: lookup)
    }

    func report(_ report: Report) { owner.streamClient(self, report) }

    func heard(event: Bool) { schedule.received(event: event, at: context.now) }

    func obey(retryMilliseconds: UInt64) { schedule.setBase(milliseconds: retryMilliseconds) }
}
