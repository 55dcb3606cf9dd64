internal import SluiceHTTP
internal import SluiceIO
internal import Synchronization

/// The limits of one route, shared by all workers: one table each behind a lock that is held for a look-up.
final class RouteGuard: Sendable {
    let body: Int
    private let hasRate: Bool
    private let rateKey: ClientKey
    private let buckets: Mutex<TokenBuckets?>
    private let streamKey: ClientKey
    private let seats: StreamSeats?

    init(_ limits: RouteLimits) {
        body = limits.body ?? .max
        hasRate = limits.rate != nil
        rateKey = limits.rate?.key ?? .address
        buckets = Mutex(
            limits.rate.map {
                TokenBuckets(
                    requests: $0.requests, perMilliseconds: $0.per.milliseconds, burst: $0.burst ?? $0.requests)
            })
        streamKey = limits.streams?.key ?? .address
        seats = limits.streams.map { StreamSeats(most: $0.most) }
    }

    /// Counts a request.
    /// - Returns: `nil` when it is within the rate; else the seconds until the next one is, at least 1.
    func count(_ head: RequestHead, from address: IPAddress?, now: UInt64) -> Int? {
        guard hasRate else { return nil }
        let key = rateKey.find(in: head, address: address)
        guard let wait = buckets.withLock({ $0?.take(key, now: now) ?? nil }) else { return nil }
        return Int(clamping: max(1, (wait &+ 999) / 1000))
    }

    /// A place for an event stream.
    func seat(for head: RequestHead, from address: IPAddress?) -> Seating {
        guard let seats else { return .unlimited }
        return seats.take(streamKey.find(in: head, address: address)).map { .taken($0) } ?? .full
    }

    /// Whether a stream has its place.
    enum Seating {
        case unlimited
        case taken(StreamSeat)
        case full
    }
}
