internal import SluiceHTTP

/// Where a stream is asked for: the URL that was given, until answers say otherwise (RFC 9110, section 15.4).
struct Redirects: Sendable {
    /// Where the next request goes.
    struct Place: Sendable, Equatable {
        let url: FeedURL
        /// Reached through another origin than the one the credentials are for.
        var isForeign = false
        /// Method and body are still those of the request: 303, and by custom 301 and 302 of a POST, make it a GET.
        var keepsBody = true
    }

    static let most = 5

    private let given: Place
    /// Where 301 and 308 have led, until that fails.
    private var remembered: Place?
    private(set) var place: Place
    private var count = 0
    private var isPermanent = true
    private let method: HTTPMethod

    init(_ url: FeedURL, method: HTTPMethod = .get) {
        given = Place(url: url)
        place = given
        self.method = method
    }

    /// A new attempt begins.
    mutating func begin() {
        place = remembered ?? given
        count = 0
        isPermanent = true
    }

    /// The attempt failed before a stream began: what was remembered may be wrong by now.
    mutating func failed() { remembered = nil }

    /// An answer says that it is elsewhere.
    mutating func follow(status: UInt16, location: [UInt8]?) throws(StreamFault) {
        guard let location, !location.isEmpty else {
            throw StreamFault(.redirect, "the upstream answered \(status) without a Location")
        }
        guard count < Redirects.most else {
            throw StreamFault(.redirect, "the upstream redirected more than \(Redirects.most) times")
        }
        count += 1
        let url: FeedURL
        do throws(FeedURL.Problem) {
            url = try place.url.resolving(location)
        } catch {
            throw StreamFault(
                .redirect,
                "the upstream answered \(status) with a Location that cannot be asked: "
                    + Printable.text(TokenMask().masked(location[...])))
        }
        if place.url.isSecure, !url.isSecure {
            throw StreamFault(.redirect, "the upstream redirected from https to http (\(url.authority))")
        }
        let becomesGet = status == 303 || (status <= 302 && method == .post)
        let isGet = method == .get || method == .head
        place = Place(
            // Once away from home a chain stays foreign: what another origin chose is not trusted with credentials.
            url: url, isForeign: place.isForeign || !url.hasSameOrigin(as: given.url),
            keepsBody: place.keepsBody && (isGet || !becomesGet))
        isPermanent = isPermanent && (status == 301 || status == 308)
        if isPermanent { remembered = place }
    }
}
