internal import SluiceHTTP
internal import SluiceIO

/// What a route's limits let through.
extension Worker {
    /// Looks at the rate and at the length of the body. Before authentication, so that guessing credentials is limited
    /// too; behind preflights, which a browser makes by itself and which cost nothing.
    /// - Returns: whether the request may go on; else it was answered.
    func isWithinLimits(_ stream: StreamPointer, _ exchange: Exchange, _ limits: RouteGuard?) -> Bool {
        guard let limits else { return true }
        if let seconds = limits.count(exchange.head, from: client(of: stream), now: context.now) {
            refuseForLoad(stream, exchange, status: 429, reason: "too many requests", retryAfter: seconds)
            return false
        }
        exchange.bodyLimit = limits.body
        if case .length(let length) = exchange.head.body, length > UInt64(max(0, limits.body)) {
            bodyTooLarge(stream, exchange, limit: limits.body)
            return false
        }
        return true
    }

    /// Takes a place for an event stream, which `endStream` gives back.
    /// - Returns: whether there was one; else the request was answered.
    func takeSeat(_ stream: StreamPointer, _ exchange: Exchange) -> Bool {
        guard stream.value.seat == nil, let limits = exchange.route.flatMap({ plan.routes[$0].limits }) else {
            return true
        }
        switch limits.seat(for: exchange.head, from: client(of: stream)) {
        case .unlimited: return true
        case .taken(let seat):
            stream.value.seat = seat
            return true
        case .full:
            refuseForLoad(stream, exchange, status: 429, reason: "too many streams are open")
            return false
        }
    }
}
