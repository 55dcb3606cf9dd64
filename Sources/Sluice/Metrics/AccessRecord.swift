internal import SluiceHTTP
internal import SluiceIO

/// What the access log will tell of a stream, gathered while it goes on. There is none where nothing is logged.
final class AccessRecord {
    /// In milliseconds.
    let began: UInt64
    private var head: RequestHead?
    private var request: LoggedRequest?
    var requestID: [UInt8] = []
    var trace: TraceContext?
    var route: Int?
    var topics: [String] = []
    var upstream: String?
    var server: SocketAddress?
    /// 0: nothing was answered.
    var status: UInt16 = 0
    /// `nil`: it has none, or nobody can count them.
    var events: UInt64?
    /// The line of its beginning was written.
    private(set) var isOpen = false
    private(set) var reason: EndReason?

    init(began: UInt64) { self.began = began }

    /// What was asked.
    func asked(_ head: RequestHead) { self.head = head }

    /// Why it ends. What was said first stands.
    func ends(_ reason: EndReason) { if self.reason == nil { self.reason = reason } }

    /// Why it ends, if it is a stream.
    func endsIfOpen(_ reason: EndReason) { if isOpen { ends(reason) } }

    /// The line of its beginning. From then on it keeps of the request what the log tells of it.
    func opens(_ mask: TokenMask) -> AccessLine {
        isOpen = true
        var line = line(.open, mask)
        line.reason = nil
        line.events = nil
        return line
    }

    /// The line of its end.
    /// - Parameter isWhole: all that was to be said was handed on.
    func closes(_ mask: TokenMask, isWhole: Bool, now: UInt64) -> AccessLine {
        var line = line(isOpen ? .close : .request, mask)
        line.duration = now &- began
        if line.reason == nil { line.reason = isWhole ? (isOpen ? .ended : nil) : .clientLeft }
        // As nginx tells it when nobody waited for the answer.
        if line.status == 0 { line.status = 499 }
        return line
    }

    private func line(_ event: AccessLine.Event, _ mask: TokenMask) -> AccessLine {
        if let head {
            request = LoggedRequest(head, mask)
            self.head = nil
        }
        return AccessLine(
            event: event, request: request, status: status, requestID: requestID, traceID: trace?.traceIDText ?? [],
            route: route, topics: topics, upstream: upstream, server: server?.description, events: events,
            reason: reason)
    }
}
