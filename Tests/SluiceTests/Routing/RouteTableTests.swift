import Sluice
import SluiceHTTP
import Testing

private func table(_ matches: RouteMatch..., defaults: [String] = []) throws -> RouteTable {
    try RouteTable(matches.map { ($0, defaultMethods: defaults) })
}

private func found(_ route: Int, _ parameters: PathParameters = [:]) -> RouteLookup {
    .route(route, parameters: parameters)
}

@Suite struct `Route table` {
    @Test func `the first match in file order wins`() throws {
        let routes = try table(
            RouteMatch(path: "/a"), RouteMatch(path: "/{x}"), RouteMatch(path: "/b"), RouteMatch(path: "/**"))
        #expect(routes.lookup(head("/a")) == found(0))
        #expect(routes.lookup(head("/b")) == found(1, ["x": "b"]))
        #expect(routes.lookup(head("/b/c")) == found(3))
        #expect(routes.count == 4)
        #expect(routes.parameterNames(of: 1) == ["x"])
    }

    @Test func `no route is not found, and no table finds nothing`() throws {
        #expect(try table(RouteMatch(path: "/a")).lookup(head("/b")) == .notFound)
        #expect(try table().lookup(head("/b")) == .notFound)
    }

    @Test(arguments: ["/..", "/%", "/%00", "*", "/a/%2e%2e/.."])
    func `a bad path is told, whatever the routes`(_ path: String) throws {
        #expect(try table(RouteMatch(path: "/**")).lookup(head(path)) == .badPath)
        #expect(try table().lookup(head(path)) == .badPath)
    }

    @Test(arguments: [
        ("events.example.com", "events.example.com", true), ("Events.Example.COM", "events.example.com", true),
        ("events.example.com", "EVENTS.example.com:8443", true), ("events.example.com", "events.example.com.", true),
        ("events.example.com.", "events.example.com.:80", true), ("events.example.com", "example.com", false),
        ("events.example.com", "xevents.example.com", false), ("events.example.com", "", false),
        ("events.example.com", "events.example.com.evil.org", false),
        ("*.example.com", "a.example.com", true), ("*.example.com", "A.EXAMPLE.com.:1", true),
        ("*.example.com", "example.com", false), ("*.example.com", ".example.com", false),
        ("*.example.com", "a.b.example.com", false), ("*.example.com", "aexample.com", false),
        ("[::1]", "[::1]:8080", true), ("[::1]", "[::1]", true), ("[::1]", "[::2]", false), ("[::1]", "[::1", false),
        ("127.0.0.1", "127.0.0.1:80", true),
    ])
    func `a host is compared without case, port and last dot`(_ pattern: String, _ host: String, _ fits: Bool) throws {
        let routes = try table(RouteMatch(host: pattern, path: "/**"))
        #expect(routes.lookup(head("/", host: host)) == (fits ? found(0) : .notFound))
    }

    @Test func `a request without a host reaches only routes for every host`() throws {
        let routes = try table(RouteMatch(host: "a.b", path: "/**"), RouteMatch(path: "/x"))
        #expect(routes.lookup(head("/x")) == found(1))
        #expect(routes.lookup(head("/y")) == .notFound)
    }

    @Test func `an accept must be named, in any of its fields`() throws {
        let routes = try table(RouteMatch(path: "/", accept: "text/event-stream"), RouteMatch(path: "/"))
        #expect(routes.lookup(head("/", accept: ["text/event-stream"])) == found(0))
        #expect(routes.lookup(head("/", accept: ["text/html, text/event-stream;q=0.5"])) == found(0))
        #expect(routes.lookup(head("/", accept: ["text/html", "Text/Event-Stream"])) == found(0))
        #expect(routes.lookup(head("/", accept: ["*/*"])) == found(1))
        #expect(routes.lookup(head("/", accept: ["text/*"])) == found(1))
        #expect(routes.lookup(head("/", accept: ["text/event-stream;q=0"])) == found(1))
        #expect(routes.lookup(head("/", accept: ["text/event-streams"])) == found(1))
        #expect(routes.lookup(head("/")) == found(1))
    }

    @Test func `a wrong method alone is 405 with every method that would do`() throws {
        let routes = try table(
            RouteMatch(path: "/a", methods: ["POST"]), RouteMatch(path: "/{x}", methods: ["PUT", "POST"]),
            RouteMatch(path: "/b", methods: ["DELETE"]),
            RouteMatch(path: "/a", methods: ["PATCH"], accept: "text/event-stream"))
        #expect(routes.lookup(head(.get, "/a")) == .methodNotAllowed(["POST", "PUT"]))
        #expect(routes.lookup(head(.post, "/a")) == found(0))
        #expect(routes.lookup(head(.put, "/a")) == found(1, ["x": "a"]))
        #expect(routes.lookup(head(.get, "/b/c")) == .notFound)
        #expect(
            routes.lookup(head(.get, "/a", accept: ["text/event-stream"]))
                == .methodNotAllowed(["POST", "PUT", "PATCH"])
        )
    }

    @Test func `a later route may take the method`() throws {
        let routes = try table(RouteMatch(path: "/a", methods: ["POST"]), RouteMatch(path: "/**"))
        #expect(routes.lookup(head(.get, "/a")) == found(1))
        #expect(routes.lookup(head(.other("SEARCH"), "/a")) == found(1))
    }

    @Test func `who takes GET takes HEAD, and methods have case`() throws {
        let routes = try table(RouteMatch(path: "/a", methods: ["GET"]), RouteMatch(path: "/b", methods: ["PURGE"]))
        #expect(routes.lookup(head(.head, "/a")) == found(0))
        #expect(routes.lookup(head(.post, "/a")) == .methodNotAllowed(["GET", "HEAD"]))
        #expect(routes.lookup(head(.other("get"), "/a")) == .methodNotAllowed(["GET", "HEAD"]))
        #expect(routes.lookup(head(.other("PURGE"), "/b")) == found(1))
        #expect(routes.methods(of: 0) == ["GET", "HEAD"])
    }

    @Test func `a match without methods takes those of its target`() throws {
        let routes = try RouteTable([
            (RouteMatch(path: "/s"), defaultMethods: ["GET", "HEAD"]),
            (RouteMatch(path: "/s", methods: ["POST"]), defaultMethods: ["GET", "HEAD"]),
            (RouteMatch(path: "/r"), defaultMethods: []),
        ])
        #expect(routes.lookup(head(.get, "/s")) == found(0))
        #expect(routes.lookup(head(.post, "/s")) == found(1))
        #expect(routes.lookup(head(.put, "/s")) == .methodNotAllowed(["GET", "HEAD", "POST"]))
        #expect(routes.lookup(head(.other("X"), "/r")) == found(2))
        #expect(routes.methods(of: 2).isEmpty)
    }

    @Test func `a preflight asks for the route that takes the method`() throws {
        let routes = try table(
            RouteMatch(path: "/a", methods: ["GET"], accept: "text/event-stream"),
            RouteMatch(path: "/a", methods: ["POST"]), RouteMatch(host: "x.y", path: "/**"), RouteMatch(path: "/**"))
        func route(_ method: String, _ path: String = "/a", host: String? = nil, without: Set<Int> = []) -> Int? {
            routes.preflight(head(.options, path, host: host), requestedMethod: bytes(method)) {
                !without.contains($0)
            }
        }
        #expect(route("GET") == 0)
        #expect(route("POST") == 1)
        #expect(route("PUT") == 3)
        #expect(route("PUT", host: "x.y:1") == 2)
        #expect(route("POST", without: [1, 3]) == 0)
        #expect(route("PUT", "/b") == 3)
        #expect(route("GET", without: [0, 1, 2, 3]) == nil)
        #expect(route("GET", "/..") == nil)
    }
}

@Suite struct `Route table's faults` {
    @Test func `each wrong match is told with its place`() throws {
        let matches = [
            RouteMatch(path: "/a"), RouteMatch(path: "a"), RouteMatch(host: "a:80", path: "/a"),
            RouteMatch(path: "/a", methods: ["get"]), RouteMatch(path: "/a", accept: "text"),
        ]
        let faults = RouteTable.faults(in: matches)
        #expect(faults.map(\.route) == [1, 2, 3, 4])
        #expect(faults.map(\.key) == [.path, .host, .methods, .accept])
        #expect(throws: faults[0]) { try RouteTable(matches.map { ($0, defaultMethods: []) }) }
        #expect(faults[0].description.hasPrefix("route 2, path: \"a\": "))
    }

    @Test(arguments: [
        "", "*", "*.", "**.a", "a.*", "*a.b", "a..b", ".a", "a:80", "[::1]:80", "::1", "a/b", "a b", "u@a", "é.org",
        "a\0",
    ])
    func `a host that cannot be meant is refused`(_ host: String) {
        #expect(RouteTable.faults(in: [RouteMatch(host: host, path: "/")]).map(\.key) == [.host])
    }

    @Test(arguments: ["", "get", "Get", "GET ", "GET,POST", "G\0"])
    func `a method that cannot be meant is refused`(_ method: String) {
        #expect(RouteTable.faults(in: [RouteMatch(path: "/", methods: [method])]).map(\.key) == [.methods])
    }

    @Test(arguments: ["", "text", "text/", "/plain", "*/*", "text/*", "text/plain;q=1", "text/plain, a/b", "a/b/c"])
    func `an accept that cannot be meant is refused`(_ accept: String) {
        #expect(RouteTable.faults(in: [RouteMatch(path: "/", accept: accept)]).map(\.key) == [.accept])
    }
}
