import Sluice
import SluiceHTTP
import Testing

@Suite struct `Route explanation` {
    private var configuration: Configuration {
        var configuration = Configuration()
        var hosts = RouteMatch(path: "/**")
        hosts.hosts = ["a.example", "b.example"]
        configuration.routes = [
            Route(RouteMatch(host: "events.example.com", path: "/market"), .subscribe("market")),
            Route(
                RouteMatch(path: "/market", headers: ["X-Version": .equal("2")]), .respond(FixedResponse(status: 204))),
            Route(
                RouteMatch(path: "/market", query: ["v": .prefix("1.")], clients: ["10.0.0.0/8"]), .subscribe("market"),
                cors: CORSPolicy(origins: ["*"])),
            Route(RouteMatch(path: "/publish/{topic}"), .publish(topic: "{topic}")),
            Route(hosts, .publish(allow: ["a.*"])),
            Route(RouteMatch(path: "/feeds/{x}", accept: "text/event-stream"), .subscribe("feed.{x}", "market")),
            Route(RouteMatch(path: "/events", headers: ["X-Gone": .absent]), .subscribe(query: "topic", allow: ["*"])),
        ]
        return configuration
    }

    private func explain(
        _ method: String, _ url: String, _ headers: String..., client: String? = nil
    ) throws -> [String] {
        let request = try DescribedRequest(method: method, url: url, headers: headers, client: client)
        return try configuration.explanation(of: request).description.split(separator: "\n").map(String.init)
    }

    @Test func `the first reason of each route before the match, then the match`() throws {
        #expect(
            try explain("GET", "http://other.example/market?v=2&v=1.5", "x-version: 3", client: "10.0.0.1") == [
                "routes[0] events.example.com/market: host is other.example, not events.example.com",
                "routes[1] /market (header X-Version): header X-Version is \"3\", not \"2\"",
                "routes[2] /market (client 10.0.0.0/8, query v): takes it: subscribe market",
            ])
        #expect(
            try explain("POST", "https://B.example:8443/publish/caf%C3%A9").suffix(2) == [
                "routes[2] /market (client 10.0.0.0/8, query v): path is /publish/caf%C3%A9, not /market",
                "routes[3] /publish/{topic}: takes it, topic = \"café\": publish {topic}",
            ])
        #expect(
            try explain("GET", "/feeds/1", "Host: c.example", "Accept: text/event-stream").suffix(3) == [
                "routes[3] /publish/{topic}: path is /feeds/1, not /publish/{topic}",
                "routes[4] a.example,b.example/**: host is c.example, not one of a.example, b.example",
                "routes[5] /feeds/{x} (accept text/event-stream): takes it, x = \"1\": subscribe feed.{x}, market",
            ])
        #expect(
            try explain("GET", "/events").last == "routes[6] /events (header X-Gone): takes it: subscribe ?topic= of *")
    }

    @Test func `every condition has words`() throws {
        let market = "http://x.example/market"
        #expect(try explain("GET", market)[1].hasSuffix(": header X-Version is not present"))
        #expect(try explain("GET", market)[2].hasSuffix(": the client is not given, not 10.0.0.0/8"))
        #expect(try explain("GET", market, client: "11.0.0.1")[2].hasSuffix(": client is 11.0.0.1, not 10.0.0.0/8"))
        #expect(try explain("GET", market, client: "10.0.0.1")[2].hasSuffix(": query v is not present"))
        #expect(
            try explain("GET", market + "?v=%32", client: "10.0.0.1")[2]
                .hasSuffix(": query v is \"2\" and does not begin with \"1.\""))
        #expect(try explain("GET", "/events")[0].contains(": the request names no host, not events"))
        #expect(try explain("GET", "/feeds/x")[5].hasSuffix(": Accept does not name text/event-stream"))
        #expect(try explain("GET", "/events", "X-Gone: 1")[6].hasSuffix(": header X-Gone is present"))
        #expect(try explain("GET", "/publish/a")[3].hasSuffix(": method GET is not among POST"))
    }

    @Test func `nothing takes it`() throws {
        #expect(try explain("GET", "/nowhere").last == "404: no route matches")
        #expect(try explain("GET", "/publish/a").last == "405: GET is not among what this path serves: POST")
        #expect(try explain("GET", "/a/../..") == ["400: the path climbs above the root"])
        #expect(try explain("GET", "/%00") == ["400: the path holds a NUL"])
        #expect(try explain("GET", "/%2") == ["400: the path has a % without two hexadecimal digits"])
        let request = try DescribedRequest(method: "GET", url: "/nowhere", headers: [], client: nil)
        #expect(try !configuration.explanation(of: request).isServed)
    }

    @Test func `a preflight is answered before methods and fields are looked at`() throws {
        let asked = ["Origin: https://a.example", "Access-Control-Request-Method: GET"]
        #expect(
            try explain("OPTIONS", "/market?v=1.", asked[0], asked[1], client: "10.0.0.1")
                == ["routes[2] /market (client 10.0.0.0/8, query v): its cors answers the preflight"])
        #expect(try explain("OPTIONS", "/events", asked[0], asked[1]).last?.hasPrefix("405: ") == true)
    }

    @Test func `an explanation is what the table does`() throws {
        let table = try RouteTable(configuration.routes.map { ($0.match, defaultMethods: $0.target.standardMethods) })
        for url in ["/market", "/publish/x", "/x", "http://a.example/x", "http://events.example.com/market"] {
            for method in ["GET", "POST", "DELETE"] {
                let request = try DescribedRequest(method: method, url: url, headers: [], client: nil)
                let explanation = try configuration.explanation(of: request)
                switch (table.lookup(request.head), explanation.outcome) {
                case (.route(let route, let parameters), .route(let found, _, let filled, _)):
                    #expect((route, parameters) == (found, filled))
                    #expect(explanation.passed.map(\.route) == Array(0..<route))
                case (.notFound, .refused(404, _)), (.methodNotAllowed, .refused(405, _)):
                    #expect(explanation.passed.count == configuration.routes.count)
                case (let lookup, let outcome): Issue.record("\(lookup) \(outcome)")
                }
            }
        }
    }
}

@Suite struct `A described request` {
    @Test(arguments: [
        ("https://a.example/b?c=d", "a.example", "/b?c=d"), ("HTTP://A.example:80", "A.example:80", "/"),
        ("http://a?b", "a", "/?b"), ("http://[::1]:8080/x", "[::1]:8080", "/x"), ("/x//y?", nil, "/x//y?"),
    ])
    func `is a URL or a path`(_ url: String, _ host: String?, _ target: String) throws {
        let head = try DescribedRequest(method: "GET", url: url, headers: [], client: nil).head
        #expect(head.host.map { String(decoding: $0, as: UTF8.self) } == host)
        #expect(String(decoding: head.target, as: UTF8.self) == target)
    }

    @Test func `its fields are told apart, and the first colon counts`() throws {
        let headers = ["X-A:b:c ", "Accept:", "Host: a.example"]
        let head = try DescribedRequest(method: "GET", url: "/", headers: headers, client: "::1").head
        #expect(head.fields.first(named: "x-a").map { Array($0) } == Array("b:c".utf8))
        #expect(head.fields.string(.accept) == "")
        #expect(head.host.map { Array($0) } == Array("a.example".utf8))
    }

    @Test(
        arguments: [
            ("get", "/", [], nil), ("", "/", [], nil), ("GET", "", [], nil), ("GET", "x", [], nil),
            ("GET", "ftp://a/", [], nil), ("GET", "http://", [], nil), ("GET", "http:///x", [], nil),
            ("GET", "http://a b/", [], nil), ("GET", "http://u@a/", [], nil), ("GET", "http://a:99999/", [], nil),
            ("GET", "/a b", [], nil), ("GET", "/ä", [], nil), ("GET", "/#a", [], nil), ("GET", "/a\r\nb", [], nil),
            ("GET", "/", ["X"], nil), ("GET", "/", [": a"], nil), ("GET", "/", ["X A: b"], nil),
            ("GET", "/", ["X: a\r\nY: b"], nil), ("GET", "/", ["Host: a b"], nil), ("GET", "/", [], "localhost"),
            ("GET", "http://a/", ["Host: b"], nil),
        ] as [(String, String, [String], String?)])
    func `what is none is refused`(_ method: String, _ url: String, _ headers: [String], _ client: String?) {
        #expect(throws: PatternError.self) {
            try DescribedRequest(method: method, url: url, headers: headers, client: client)
        }
    }
}
