import Sluice
import Testing

@testable import SluiceConfiguration

@Suite struct `Limits and headers of routes` {
    private func route(_ keys: String) throws -> Route {
        try read(with("routes: [{match: /, respond: ok, \(keys)}]")).configuration.routes[0]
    }

    private func problems(_ keys: String) -> [String] {
        errors(in: with("routes: [{match: /, respond: ok, \(keys)}]"))
    }

    @Test func `limits are read`() throws {
        let limits = try route(
            "limits: {rate: {requests: 10, per: 2s, burst: 20, key: address}, streams: 5, body: 10MiB}")
        let rate = RequestRate(10, per: .seconds(2), burst: 20)
        #expect(limits.limits == RouteLimits(rate: rate, streams: StreamLimit(5), body: 10 << 20))
        let keyed = try route(
            "limits: {rate: {requests: 1, key: {header: X-Api-Key}}, streams: {most: 2, key: {cookie: c}}}")
        #expect(
            keyed.limits
                == RouteLimits(
                    rate: RequestRate(1, key: .header("X-Api-Key")), streams: StreamLimit(2, key: .cookie("c"))))
        #expect(try route("limits: {rate: {requests: 1, key: {query: k}}}").limits?.rate?.key == .query("k"))
    }

    @Test(arguments: [
        ("limits: {rate: {requests: 0}}", "expected at least 1, not 0"),
        ("limits: {rate: {requests: 1000001}}", "expected at most 1000000, not 1000001"),
        ("limits: {rate: {requests: 1, per: 0}}", "rate.per: expected at least"),
        ("limits: {rate: {requests: 1, burst: 0}}", "rate.burst: expected at least 1"),
        ("limits: {rate: {burst: 5}}", "rate.requests: this key is missing"),
        ("limits: {rate: {requests: 1, key: {header: \"a b\"}}}", "\"a b\" is not the name of a field"),
        ("limits: {rate: {requests: 1, key: {cookie: \"a;\"}}}", "\"a;\" is not the name of a cookie"),
        ("limits: {rate: {requests: 1, key: {query: \"\"}}}", "expected a name such as key"),
        ("limits: {rate: {requests: 1, key: {}}}", "one of header, cookie, query is missing"),
        ("limits: {rate: {requests: 1, key: adress}}", "expected address or keys and values"),
        ("limits: {streams: 0}", "streams.most: expected at least 1"),
        ("limits: {body: -1}", "expected"),
        ("limits: {rates: {requests: 1}}", "did you mean \"rate\"?"),
        ("security_headers: {referrer: no-referer}", "did you mean \"no-referrer\"?"),
        ("security_headers: {hsts: off, hsts_subdomains: on}", "only beside hsts"),
        ("security_headers: {hsts: 9000h}", "at most a year"),
        ("security_headers: {hst: 1h}", "did you mean \"hsts\"?"),
        ("cors: {origins: [\"https://*.com\"]}", "takes everybody below .com"),
        ("cors: {origins: [\"https://a.*.com\"]}", "expected an origin"),
        ("cors: {origins: [\"https://*.a.example/\"]}", "no last slash"),
        ("cors: {origins: [\"https://*.a.example:443\"]}", "own port"),
        ("cors: {origins: [\"*\"], expose: [\"a b\"]}", "\"a b\" is not the name of a field"),
    ])
    func `what cannot work is told`(_ keys: String, _ message: String) {
        let found = problems(keys)
        #expect(found.count == 1)
        #expect(found.first?.contains(message) == true, "\(found)")
    }

    @Test func `security headers are off until they are on`() throws {
        #expect(try route("limits: {}").securityHeaders == nil)
        #expect(try route("security_headers: off").securityHeaders == nil)
        #expect(try route("security_headers: on").securityHeaders == SecurityHeaders())
        var headers = SecurityHeaders()
        headers.frames = .deny
        headers.referrer = nil
        headers.strictTransport = nil
        #expect(try route("security_headers: {frames: deny, referrer: off, hsts: off}").securityHeaders == headers)
    }

    @Test(arguments: ["https://*.example.com", "http://*.localhost:3000", "https://*.a.b.example:8443"])
    func `origins below a domain are fine`(_ origin: String) {
        #expect(problems("cors: {origins: [\"\(origin)\"]}").isEmpty)
    }
}
