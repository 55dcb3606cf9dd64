import Sluice
import SluiceHTTP
import SluiceIO
import Testing

@Suite struct `Route conditions` {
    private func takes(
        _ match: RouteMatch, _ target: String = "/", host: String? = nil, _ fields: KeyValuePairs<String, String> = [:],
        client: String? = nil
    ) throws -> Bool {
        var block = FieldBlock()
        for (name, value) in fields { block.append(name: name, value: value) }
        let head = RequestHead.make(target: target, host: host, fields: block)
        let table = try RouteTable([(match, defaultMethods: ["GET"])])
        return table.lookup(head, client: client.flatMap { IPAddress($0) }) == .route(0, parameters: [:])
    }

    @Test func `one of several hosts is enough`() throws {
        var match = RouteMatch(path: "/")
        match.hosts = ["a.example", "*.b.example"]
        #expect(try takes(match, host: "A.example:8443"))
        #expect(try takes(match, host: "x.b.example"))
        #expect(try !takes(match, host: "b.example"))
        #expect(try !takes(match))
    }

    @Test(arguments: [
        (ValueTest.equal("2"), ["2"], true), (.equal("2"), ["1", "2"], true), (.equal("2"), ["22"], false),
        (.equal("2"), [], false), (.equal("a"), ["A"], false), (.equal(""), [""], true), (.equal(""), [], false),
        (.prefix("Bearer "), ["Bearer x"], true), (.prefix("Bearer "), ["Basic x"], false),
        (.prefix("Bearer "), ["Bearer"], false), (.prefix("b"), ["a", "bc"], true), (.prefix(""), [], false),
        (.present, ["x"], true), (.present, [""], true), (.present, [], false),
        (.absent, [], true), (.absent, ["x"], false), (.absent, [""], false),
        (ValueTest(equal: "ab", prefix: "a", present: true), ["ab"], true),
        (ValueTest(equal: "ab", prefix: "a", present: true), ["ac"], false),
    ])
    func `a field is tested`(_ test: ValueTest, _ values: [String], _ fits: Bool) throws {
        for name in ["X-Version", "Authorization"] {
            let match = RouteMatch(path: "/", headers: [name: test])
            var block = FieldBlock()
            block.append(name: "X-Other", value: "2")
            for value in values { block.append(name: name.lowercased(), value: value) }
            let table = try RouteTable([(match, defaultMethods: [])])
            let found = table.lookup(RequestHead.make(fields: block))
            #expect(found == (fits ? .route(0, parameters: [:]) : .notFound), "\(name)")
        }
    }

    @Test func `all fields have to pass`() throws {
        let match = RouteMatch(path: "/", headers: ["X-A": .equal("1"), "X-B": .absent])
        #expect(try takes(match, "/", ["x-a": "1"]))
        #expect(try !takes(match, "/", ["x-a": "1", "x-b": "2"]))
        #expect(try !takes(match, "/", ["x-b": "1"]))
    }

    @Test(arguments: [
        ("/?v=2", ValueTest.equal("2"), true), ("/?x=2&v=2", .equal("2"), true), ("/?v=1&v=2", .equal("2"), true),
        ("/?v=%32", .equal("2"), true), ("/?%76=2", .equal("2"), true), ("/?v=22", .equal("2"), false),
        ("/?V=2", .equal("2"), false), ("/", .equal("2"), false), ("/?", .equal(""), false), ("/?v", .equal(""), true),
        ("/?v=", .equal(""), true), ("/?v=a+b", .equal("a b"), true), ("/?v=a%2Bb", .equal("a+b"), true),
        ("/?v=%C3%A4", .equal("ä"), true), ("/?v=%2", .equal("%2"), false), ("/?v=2%", .equal("2"), false),
        ("/?v=a%20b", .prefix("a "), true), ("/?v=a", .prefix("a "), false), ("/?w=a%20b&&v=b", .prefix("a "), false),
        ("/?&v", .present, true), ("/?w=v", .present, false), ("/?v=%zz", .present, true), ("/?v%=1", .present, false),
        ("/?v", .absent, false), ("/?w", .absent, true), ("/", .absent, true),
    ])
    func `the query is tested decoded`(_ target: String, _ test: ValueTest, _ fits: Bool) throws {
        #expect(try takes(RouteMatch(path: "/", query: ["v": test]), target) == fits)
    }

    @Test func `the client is in one of the networks, and known`() throws {
        let match = RouteMatch(path: "/", clients: ["10.0.0.0/8", "::1"])
        #expect(try takes(match, client: "10.2.3.4"))
        #expect(try takes(match, client: "::1"))
        #expect(try takes(match, client: "::ffff:10.0.0.1"))
        #expect(try !takes(match, client: "11.0.0.1"))
        #expect(try !takes(match))
    }

    @Test func `a preflight has the client and the query of its request, but not its fields`() throws {
        let routes = try RouteTable([
            (RouteMatch(path: "/", query: ["v": .equal("2")]), defaultMethods: ["GET"]),
            (RouteMatch(path: "/", clients: ["10.0.0.0/8"]), defaultMethods: ["GET"]),
            (RouteMatch(path: "/", headers: ["X-A": .equal("1")]), defaultMethods: ["GET"]),
        ])
        func route(_ target: String, _ client: String) -> Int? {
            routes.preflight(
                head(.options, target), requestedMethod: bytes("GET"), client: IPAddress(client), where: { _ in true })
        }
        #expect(route("/?v=2", "11.0.0.1") == 0)
        #expect(route("/", "10.0.0.1") == 1)
        #expect(route("/", "11.0.0.1") == 2)
    }

    @Test func `what a condition rests on does not fit leads to no 405`() throws {
        let routes = try RouteTable([
            (RouteMatch(path: "/", methods: ["POST"], headers: ["X-A": .present]), defaultMethods: []),
            (RouteMatch(path: "/", methods: ["PUT"], query: ["v": .present]), defaultMethods: []),
        ])
        #expect(routes.lookup(head("/")) == .notFound)
        #expect(routes.lookup(head("/?v")) == .methodNotAllowed(["PUT"]))
    }
}

@Suite struct `Route conditions that cannot be meant` {
    @Test(arguments: [
        ["X A": ValueTest.present], ["": .present], ["Host": .equal("a")], ["X-A": .present, "x-a": .absent],
        ["X": ValueTest()], ["X": ValueTest(equal: "a", present: false)], ["X": ValueTest(prefix: "a", present: false)],
        ["X": ValueTest(equal: "ab", prefix: "b")], ["X": .equal(" a")], ["X": .equal("a\t")], ["X": .prefix(" a")],
    ])
    func `fields`(_ headers: [String: ValueTest]) {
        #expect(RouteTable.faults(in: [RouteMatch(path: "/", headers: headers)]).map(\.key) == [.headers])
    }

    @Test func `values of the query and clients`() {
        #expect(RouteTable.faults(in: [RouteMatch(path: "/", query: ["": .present])]).map(\.key) == [.query])
        #expect(RouteTable.faults(in: [RouteMatch(path: "/", query: ["v": ValueTest()])]).map(\.key) == [.query])
        #expect(RouteTable.faults(in: [RouteMatch(path: "/", clients: ["10.0.0.0/33"])]).map(\.key) == [.client])
    }
}
