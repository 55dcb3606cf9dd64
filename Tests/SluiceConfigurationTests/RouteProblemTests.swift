import Sluice
import Testing

@testable import SluiceConfiguration

/// Which matches hide others, and which cannot be met.
struct RouteProblemTests {
    private func problems(_ routes: [Route]) -> [String] {
        var configuration = Configuration()
        configuration.listeners = [ListenerOptions(":0")]
        configuration.routes = routes
        return configuration.problems().map(\.description)
    }

    private func hides(_ first: RouteMatch, _ second: RouteMatch) -> Bool {
        let found = problems([first, second].map { Route($0, .respond(FixedResponse())) })
        let expected = "routes[1].match: no request reaches this route: routes[0] before it takes them all"
        #expect(found.isEmpty || found == [expected], "\(found)")
        return !found.isEmpty
    }

    @Test(arguments: [
        (RouteMatch(path: "/**"), RouteMatch(path: "/a"), true),
        (RouteMatch(path: "/a"), RouteMatch(path: "/**"), false),
        (RouteMatch(host: "a.b", path: "/**"), RouteMatch(path: "/a"), false),
        (RouteMatch(path: "/**"), RouteMatch(host: "a.b", path: "/a"), true),
        (RouteMatch(host: "*.b", path: "/**"), RouteMatch(host: "A.b.", path: "/a"), true),
        (RouteMatch(host: "*.b", path: "/**"), RouteMatch(host: "a.a.b", path: "/a"), false),
        (RouteMatch(host: "*.b", path: "/**"), RouteMatch(host: "*.B", path: "/a"), true),
        (RouteMatch(host: "a.b", path: "/**"), RouteMatch(host: "*.b", path: "/a"), false),
        (RouteMatch(path: "/", methods: ["GET"]), RouteMatch(path: "/", methods: ["HEAD"]), true),
        (RouteMatch(path: "/", methods: ["GET"]), RouteMatch(path: "/", methods: ["GET", "POST"]), false),
        (RouteMatch(path: "/", methods: ["GET"]), RouteMatch(path: "/"), false),
        (RouteMatch(path: "/", accept: "a/b"), RouteMatch(path: "/"), false),
        (RouteMatch(path: "/", accept: "a/b"), RouteMatch(path: "/", accept: "A/b"), true),
        (RouteMatch(path: "/", accept: "a/b"), RouteMatch(path: "/", accept: "a/c"), false),
        (RouteMatch(path: "/"), RouteMatch(path: "/", accept: "a/c"), true),
    ])
    func `a route that takes all requests of another hides it`(
        _ first: RouteMatch, _ second: RouteMatch, _ isHidden: Bool
    ) { #expect(hides(first, second) == isHidden) }

    @Test(arguments: [
        (ValueTest.equal("ab"), ValueTest.equal("ab"), true), (.equal("ab"), .equal("ac"), false),
        (.prefix("a"), .equal("ab"), true), (.prefix("b"), .equal("ab"), false), (.present, .equal("ab"), true),
        (.equal("ab"), .prefix("ab"), false), (.prefix("a"), .prefix("ab"), true), (.prefix("ab"), .prefix("a"), false),
        (.present, .prefix("a"), true), (.present, .present, true), (.prefix("a"), .present, false),
        (.absent, .absent, true), (.absent, .present, false), (.present, .absent, false), (.absent, .equal(""), false),
    ])
    func `a condition hides the same and stronger ones`(_ first: ValueTest, _ second: ValueTest, _ isHidden: Bool) {
        let field = RouteMatch(path: "/", headers: ["X-A": first])
        #expect(hides(field, RouteMatch(path: "/", headers: ["x-a": second, "X-B": .present])) == isHidden)
        #expect(!hides(field, RouteMatch(path: "/", headers: ["X-B": second])))
        #expect(!hides(field, RouteMatch(path: "/")))
        #expect(hides(RouteMatch(path: "/"), field))
        let query = RouteMatch(path: "/", query: ["a": first])
        #expect(hides(query, RouteMatch(path: "/", query: ["a": second, "b": .present])) == isHidden)
        #expect(!hides(query, RouteMatch(path: "/", query: ["A": second])))
        #expect(!hides(query, field))
        #expect(!hides(query, RouteMatch(path: "/")))
    }

    @Test(arguments: [
        (["10.0.0.0/8"], ["10.1.0.0/16"], true), (["10.1.0.0/16"], ["10.0.0.0/8"], false),
        (["10.0.0.0/8"], ["10.0.0.0/8"], true), (["10.0.0.0/8"], ["10.0.0.1", "11.0.0.1"], false),
        (["10.0.0.0/8", "11.0.0.0/8"], ["10.0.0.1", "11.0.0.1"], true), (["::/0"], ["10.0.0.1"], false),
        (["0.0.0.0/0"], ["10.0.0.1"], true), (["::/0"], ["::1"], true), ([], ["10.0.0.1"], true),
        (["0.0.0.0/0"], [], false),
    ])
    func `a network hides those in it`(_ first: [String], _ second: [String], _ isHidden: Bool) {
        #expect(hides(RouteMatch(path: "/", clients: first), RouteMatch(path: "/", clients: second)) == isHidden)
    }

    @Test func `several hosts hide those that they take`() {
        var (first, second) = (RouteMatch(path: "/"), RouteMatch(path: "/"))
        first.hosts = ["a", "*.b"]
        second.hosts = ["x.b", "a"]
        #expect(hides(first, second))
        #expect(!hides(second, first))
        second.hosts.append("c")
        #expect(!hides(first, second))
    }

    @Test func `what cannot be met is an error at its place`() {
        var match = RouteMatch(
            path: "/",
            headers: [
                "X A": .present, "X-C": ValueTest(equal: "a", present: false), "X-N": ValueTest(), "X-Y": .present,
            ],
            query: ["v": ValueTest(equal: "ab", prefix: "b")], clients: ["10.0.0.0/8", "nowhere"])
        match.hosts = ["a", "b:80"]
        #expect(
            problems([Route(match, .respond(FixedResponse()))]) == [
                "routes[0].match.host[1]: \"b:80\" is no host: a host has no port here; an IPv6 address stands in "
                    + "brackets",
                "routes[0].match.headers.\"X A\": this is not the name of a field",
                "routes[0].match.headers.X-C: what is not present has no value: present: false contradicts equal",
                "routes[0].match.headers.X-N: expected a text, or one of equal, prefix and present",
                "routes[0].match.query.v: nothing is \"ab\" and begins with \"b\"",
                "routes[0].match.client[1]: expected a network such as 10.0.0.0/8, ::1/128 or a bare address, not "
                    + "\"nowhere\"",
            ])
        let twice = RouteMatch(path: "/", headers: ["X-A": .present, "x-a": .absent])
        #expect(
            problems([Route(twice, .respond(FixedResponse()))])
                == ["routes[0].match.headers.x-a: names of fields have no case, and this one is given twice"])
    }

    @Test func `conditions are read in short and in long`() throws {
        let file = try read(
            with(
                """
                routes:
                  - match:
                      host: [a.example, "*.b"]
                      path: /
                      headers: {X-Version: 2, X-Debug: {present: true}, X-Gone: {present: false}, A: {prefix: "Bearer "}}
                      query: {v: {equal: 1}, w: ""}
                      client: 10.0.0.0/8
                    respond: ok
                  - match: {host: c, path: /, client: ["::1", 127.0.0.1]}
                    respond: ok
                """))
        var first = RouteMatch(
            path: "/",
            headers: ["X-Version": .equal("2"), "X-Debug": .present, "X-Gone": .absent, "A": .prefix("Bearer ")],
            query: ["v": .equal("1"), "w": .equal("")], clients: ["10.0.0.0/8"])
        first.hosts = ["a.example", "*.b"]
        #expect(file.configuration.routes[0].match == first)
        #expect(
            file.configuration.routes[1].match == RouteMatch(host: "c", path: "/", clients: ["::1", "127.0.0.1"]))
        expectSame(try read(file.effective).configuration, file.configuration)
    }

    @Test func `a test that is no test has a place`() {
        let found = errors(
            in: with(
                "routes:\n  - match: {path: /, headers: {A: {prefx: b}, B: {equal: a, present: off}}}\n    respond: ok\n"
            ))
        #expect(
            found == [
                "3:32: routes[0].match.headers.A: expected a text, or one of equal, prefix and present",
                "3:36: routes[0].match.headers.A.prefx: this key is not known; did you mean \"prefix\"?",
                "3:47: routes[0].match.headers.B: what is not present has no value: present: false contradicts equal",
            ])
    }

    @Test func `a redirect has somewhere to go`() {
        func found(_ to: String, _ status: Int = 308) -> [String] {
            problems([Route(RouteMatch(path: "/{symbol}"), .redirect(to: to, status: status))])
        }
        for status in [301, 302, 303, 307, 308] { #expect(found("/x/{symbol}{query}", status).isEmpty) }
        #expect(
            found("/x", 304) == ["routes[0].redirect.status: expected 301, 302, 303, 307 or 308, not 304"])
        #expect(
            found("/{symbl}")
                == ["routes[0].redirect.to: the route's path has no {symbl}; did you mean \"{symbol}\"?"])
        #expect(
            found("https://a/{ur}") == ["routes[0].redirect.to: the route's path has no {ur}; did you mean \"{uri}\"?"])
        #expect(found("b.example").count == 1)
        #expect(hides(RouteMatch(path: "/"), RouteMatch(path: "/", methods: ["PUT"])))
    }

    @Test func `a redirect is read in short and in long`() throws {
        let file = try read(
            with(
                """
                routes:
                  - {match: /a, redirect: "https://b.example{uri}"}
                  - {match: /b, redirect: {to: /c, status: 302}}
                """))
        #expect(
            file.configuration.routes.map(\.target)
                == [.redirect(to: "https://b.example{uri}"), .redirect(to: "/c", status: 302)])
        expectSame(try read(file.effective).configuration, file.configuration)
    }

    private func edited(_ change: (inout Route) -> Void) -> [String] {
        var route = Route(RouteMatch(path: "/"), .respond(FixedResponse()))
        change(&route)
        return problems([route])
    }

    @Test func `what changes requests is of no use where none is passed on`() {
        let reason = "this is of no use here: the route passes no request on"
        #expect(edited { $0.rewrite = PathRewrite(stripPrefix: "/a") } == ["routes[0].rewrite: \(reason)"])
        #expect(
            edited { $0.requestHeaders = HeaderEdits(remove: ["Cookie"]) } == ["routes[0].request_headers: \(reason)"])
        #expect(edited { $0.responseHeaders = HeaderEdits(remove: ["Server"]) }.isEmpty)
    }

    @Test func `prefixes are paths`() {
        #expect(
            edited { $0.rewrite = PathRewrite(stripPrefix: "a", addPrefix: "/{x}") }.dropFirst() == [
                "routes[0].rewrite.strip_prefix: expected a path such as /api, without a slash at its end, not \"a\"",
                "routes[0].rewrite.add_prefix: a prefix has no {parameters} and no **",
            ])
    }

    @Test(arguments: [
        "Connection", "content-length", "Transfer-Encoding", "TE", "Upgrade", "Keep-Alive", "Trailer", "A b",
    ])
    func `what frames a message or a connection cannot be edited`(_ name: String) {
        let all = HeaderEdits(set: [(name, "a")], add: [(name, "a")], remove: [name])
        #expect(edited { $0.responseHeaders = all }.filter { $0.contains("headers.") }.count >= 3)
        #expect(edited { $0.requestHeaders = all }.filter { $0.contains("headers.") }.count >= 3)
    }

    @Test func `a request's Host can be set to a host, and nothing else`() {
        func found(_ edits: HeaderEdits) -> [String] { Array(edited { $0.requestHeaders = edits }.dropFirst()) }
        #expect(found(HeaderEdits(set: [("Host", "a.example:80")])).isEmpty)
        #expect(
            found(HeaderEdits(set: [("Host", "a b")]))
                == ["routes[0].request_headers.set.Host: \"a b\" is no host, with or without a port"])
        #expect(
            found(HeaderEdits(add: [("Host", "a")], remove: ["host"])) == [
                "routes[0].request_headers.remove[0]: a request has one Host: it can only be set",
                "routes[0].request_headers.add.Host: a request has one Host: it can only be set",
            ])
    }

    @Test func `values cannot end a line, and what is set need not be removed`() {
        #expect(
            edited { $0.responseHeaders = HeaderEdits(set: [("A", "a\r\nB: c")], remove: ["a", "Date"]) } == [
                "routes[0].response_headers.remove[1]: Date is set by the gateway itself",
                "routes[0].response_headers.set.A: a field's value cannot contain line ends or control characters",
                "routes[0].response_headers.remove[0]: a is set as well, which removes what is there",
            ])
    }

    @Test func `edits are read and written`() throws {
        let file = try read(
            with(
                """
                routes:
                  - match: /
                    respond: ok
                    response_headers: {set: {A: b}, add: {C: [d, e]}, remove: Server}
                """))
        #expect(
            file.configuration.routes[0].responseHeaders
                == HeaderEdits(set: [("A", "b")], add: [("C", "d"), ("C", "e")], remove: ["Server"]))
        expectSame(try read(file.effective).configuration, file.configuration)
        let found = errors(
            in: with(
                "routes:\n  - {match: /, respond: ok, rewrite: {strip_prefx: /a}, request_headers: {set: {Host: a}}}\n")
        )
        #expect(found.contains { $0.hasSuffix("did you mean \"strip_prefix\"?") }, "\(found)")
    }
}
