import Sluice
import Testing

@testable import SluiceConfiguration

/// Pools of servers.
struct UpstreamTests {
    private func upstream(_ text: String) throws -> UpstreamOptions {
        try #require(try read(with("upstreams: {app: \(text)}")).configuration.upstreams["app"])
    }

    /// What is wrong, without its line.
    private func problems(_ text: String) -> [String] {
        errors(in: with("upstreams: {app: \(text)}")).map { String($0.drop { $0 != " " }.dropFirst()) }
    }

    /// What is wrong with keys beside a server that is right.
    private func problems(with keys: String) -> [String] { problems("{servers: http://a, \(keys)}") }

    private static let full = """
        upstreams:
          app:
            servers: ["https://a.example:8443", "http://[::1]:3000", "unix:/run/app.sock"]
            balance: hash
            hash: {cookie: session}
            health_check: {path: "/healthz?deep=1", every: 1s, timeout: 500ms, fall: 4, rise: 5, status: 204}
            passive: {failures: 0, for: 1m}
            connections: 100
            queue: {size: 0, timeout: 1s}
            keep_alive: {connections: 7, idle: 8s}
            timeouts: {connect: 1s, first_byte: 2s, idle: 3s, tunnel: 4s, stream: 5s}
            retries: 0
            resolve: 1m
            tls: {server_name: b.example}
            forwarded: both
            host: server
        """

    @Test func `the short form is a list of servers`() throws {
        let one = try upstream("http://127.0.0.1:3000")
        #expect(one == UpstreamOptions(servers: ["http://127.0.0.1:3000"]))
        #expect(try upstream("[http://a, http://b]").servers == ["http://a", "http://b"])
        #expect(try upstream("{servers: http://127.0.0.1:3000}") == one)
    }

    @Test func `every key is read`() throws {
        let read = try #require(try read(with(Self.full)).configuration.upstreams["app"])
        #expect(read.servers == ["https://a.example:8443", "http://[::1]:3000", "unix:/run/app.sock"])
        #expect(read.balance == .hash && read.hash == .cookie("session"))
        var check = HealthCheck(path: "/healthz?deep=1")
        (check.every, check.timeout) = (.seconds(1), .milliseconds(500))
        (check.fall, check.rise, check.status) = (4, 5, 204)
        #expect(read.healthCheck == check)
        #expect(read.passive.failures == 0 && read.passive.duration == .seconds(60))
        #expect(read.connections == 100 && read.queue.size == 0 && read.queue.timeout == .seconds(1))
        #expect(read.keepAlive.connections == 7 && read.keepAlive.idle == .seconds(8))
        #expect(read.timeouts.connect == .seconds(1) && read.timeouts.firstByte == .seconds(2))
        #expect(read.timeouts.idle == .seconds(3) && read.timeouts.tunnel == .seconds(4))
        #expect(read.timeouts.stream == .seconds(5) && read.retries == 0 && read.resolve == .seconds(60))
        #expect(read.tls.serverName == "b.example" && read.forwarded == .both && read.host == .server)
    }

    @Test func `what is hashed is one thing`() throws {
        func hash(_ text: String) throws -> HashSource? {
            try upstream("{servers: http://a, balance: hash, \(text)}").hash
        }
        #expect(try hash("hash: address") == .address)
        #expect(try hash("hash: {header: X-User}") == .header("X-User"))
        #expect(try hash("hash: {query: user}") == .query("user"))
        #expect(problems(with: "balance: hash").first?.hasPrefix("upstreams.app.hash: balance: hash needs") == true)
        #expect(problems(with: "hash: address") == ["upstreams.app.hash: this key stands only beside balance: hash"])
        #expect(problems(with: "balance: hash, hash: {header: X, query: y}").count == 1)
        #expect(problems(with: "balance: hash, hash: {header: \"a b\"}").count == 1)
        #expect(problems(with: "balance: hash, hash: {cookie: \"a=b\"}").count == 1)
        #expect(problems(with: "balance: hash, hash: {query: \"\"}").count == 1)
        #expect(problems(with: "balance: hash, hash: adress").count == 1)
    }

    @Test(arguments: [
        "", "a:80", "ftp://a", "http://", "http://a/x", "http://a?x", "http://a:0", "http://{x}", "http://u:p@a",
        "http://a b", "http://a#f", "unix:", "unix", "https://[::1",
    ])
    func `what is no server`(server: String) {
        let found = problems("{servers: [http://ok, \"\(server)\"]}")
        #expect(found.count == 1 && found.first?.hasPrefix("upstreams.app.servers[1]: ") == true, "\(found)")
    }

    @Test(arguments: ["http://a", "HTTP://a/", "https://a.example:8443", "http://127.0.0.1:1", "unix:/x"])
    func `what is a server`(server: String) { #expect(problems("\"\(server)\"").isEmpty) }

    @Test func `there are servers, and each stands once`() {
        #expect(problems("[]").count == 1)
        #expect(problems("{balance: random}").count == 1)
        #expect(problems("[http://a, http://b, http://a]").first?.contains("already, as servers[0]") == true)
    }

    @Test(arguments: [
        "balance: round_robbin", "health_check: healthz", "health_check: {}", "health_check: {path: /, every: 1ms}",
        "health_check: {path: /, fall: 0}", "health_check: {path: /, rise: 0}", "health_check: {path: /, timeout: 0}",
        "health_check: {path: /, status: 99}", "health_check: \"/a b\"", "passive: {failures: -1}", "passive: {for: 0}",
        "connections: 0", "queue: {size: -1}", "queue: {timeout: 0}", "queue: {size: 10001}", "retries: -1",
        "retries: 11", "keep_alive: {connections: -1}", "keep_alive: {idle: 0}", "timeouts: {connect: 0}",
        "timeouts: {first_byte: 0}", "timeouts: {idle: 0}", "timeouts: {tunnel: 0}", "timeouts: {stream: 0}",
        "resolve: 0", "forwarded: x-forwarded", "host: sever", "tls: {server_name: a}", "tls: {certificate: /no}",
        "tls: {key: /no}",
    ])
    func `what is wrong is said once, with its key`(text: String) {
        let key = text.prefix { $0 != ":" }
        let found = problems(with: text)
        #expect(found.count == 1 && found.first?.hasPrefix("upstreams.app.\(key)") == true, "\(found)")
    }

    @Test func `near words are suggested`() {
        #expect(problems(with: "balance: round_robbin").first?.hasSuffix("did you mean \"round_robin\"?") == true)
        #expect(problems(with: "health_chek: /").first?.contains("health_check") == true)
        #expect(problems(with: "queue: {size: 1, timout: 1s}").first?.contains("timeout") == true)
    }

    @Test func `files of TLS are looked at, and need a server that speaks it`() {
        let found = problems(
            "{servers: https://a, tls: {ca: no.pem, certificate: no.pem, key: no.key, server_name: \"a b\"}}")
        #expect(
            found.map { $0.prefix { $0 != ":" } }
                == ["ca", "certificate", "key", "server_name"].map {
                    "upstreams.app.tls.\($0)"
                })
        #expect(problems("{servers: [http://b, https://a], tls: {server_name: c.example}}").isEmpty)
    }

    @Test(arguments: [full, "upstreams: {a: http://b, c: {servers: unix:/d, balance: hash, hash: address}}"])
    func `what is printed reads back to the same`(text: String) throws {
        let file = try read(with(text))
        let again = try read(file.effective, folder: "/elsewhere")
        expectSame(file.configuration, again.configuration)
        #expect(again.effective == file.effective && again.configuration.upstreams.isEmpty == false)
    }
}
