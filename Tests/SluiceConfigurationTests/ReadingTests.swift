import Sluice
import Testing

@testable import SluiceConfiguration

struct ReadingTests {
    @Test func `short forms equal long ones`() throws {
        let short = try read(
            """
            listeners: [":0"]
            sources: {a: http://a.example/x, b: http://b.example/x}
            topics: {t: [a, b], "t.{x}": }
            routes:
              - {match: /t, subscribe: t}
              - {match: /p, publish: t}
              - {match: /q, publish: {allow: t}}
              - {match: /, respond: ok}
            """)
        let long = try read(
            """
            listeners: [{address: ":0"}]
            sources: {a: {url: http://a.example/x}, b: {url: http://b.example/x}}
            topics: {t: {sources: [a, b]}, "t.{x}": {}}
            routes:
              - {match: {path: /t}, subscribe: {topics: [t]}}
              - {match: {path: /p}, publish: {topic: t}}
              - {match: {path: /q}, publish: {allow: [t]}}
              - {match: {path: /}, respond: {body: ok}}
            """)
        expectSame(short.configuration, long.configuration)
        #expect(short.configuration.routes[0].target == .subscribe("t"))
        #expect(short.configuration.sources["a"] == .feed(url: "http://a.example/x"))
    }

    @Test func `scalars are text and need no quotes`() throws {
        let file = try read(
            """
            listeners:
              - {address: ":0", tls: {development: yes, minimum_version: 1.3}}
            sources:
              s: {ticker: {every: 1h, data: no, id: 1, event: 1.20}}
            topics:
              t: {sources: [s], ids: off, gap_event: off, opening_id: on, compression: no, heartbeat: 0, retry: 500ms, max_lag: 1024}
            """
        ).configuration
        #expect(file.sources["s"] == .ticker(TickerOptions(every: .seconds(3600), event: "1.20", data: "no", id: "1")))
        let topic = try #require(file.topics["t"])
        #expect(topic.ids == .off)
        #expect(topic.gapEvent == nil)
        #expect(topic.openingID)
        #expect(!topic.compression)
        #expect(topic.heartbeat == .zero)
        #expect(topic.retry == .milliseconds(500))
        #expect(topic.maxLag == 1024)
        var tls = TLSOptions.development()
        tls.minimumVersion = .v13
        #expect(file.listeners[0].tls == tls)
    }

    @Test func `what a stream begins and ends with`() throws {
        let file = try read(
            """
            listeners: [":0"]
            topics:
              a: {replay: all, end: abort, max_age: 1h, topic_field: data, overflow: latest}
              b: {replay: 5, overflow: skip, topic_field: event}
            routes:
              - {match: /a, subscribe: [a, b]}
              - {match: /b, subscribe: {query: topic, allow: "*"}}
            limits: {log_bytes: 64MiB}
            """
        ).configuration
        let topic = try #require(file.topics["a"])
        #expect(topic.replay == .all)
        #expect(topic.end == .abort)
        #expect(topic.maxAge == .seconds(3600))
        #expect(topic.topicField == .data)
        #expect(topic.overflow == .latest)
        #expect(file.topics["b"]?.replay == .newest(5))
        #expect(file.topics["b"]?.overflow == .skip)
        #expect(file.topics["b"]?.topicField == .event)
        #expect(
            file.routes.map(\.target)
                == [.subscribe("a", "b"), .subscribe(query: "topic", allow: ["*"])])
        #expect(file.limits.logBytes == 64 << 20)
    }

    @Test func `a command's paths start at the file's folder`() throws {
        let file = try read(
            with(
                """
                sources:
                  a: {command: [tail, -F, app.log], retry: {initial: 2s}}
                  b: {command: [./follow, ../x], directory: sub, format: sse, environment: {A: b}}
                  c: {command: [/bin/x], directory: /tmp, event: line}
                """)
        ).configuration
        var a = CommandOptions(["tail", "-F", "app.log"])
        a.directory = "/etc/x"
        a.retry.initial = .seconds(2)
        #expect(file.sources["a"] == .command(a))
        // Arguments are the program's own business.
        var b = CommandOptions(["/etc/x/follow", "../x"])
        b.directory = "/etc/x/sub"
        b.format = .sse
        b.environment = ["A": Secret("b")]
        #expect(file.sources["b"] == .command(b))
        var c = CommandOptions(["/bin/x"])
        c.directory = "/tmp"
        c.event = "line"
        #expect(file.sources["c"] == .command(c))
    }

    @Test func `tls development is a word for the whole`() throws {
        let file = try read("listeners: [{address: \":0\", tls: development}]")
        #expect(file.configuration.listeners == [ListenerOptions(":0", tls: .development())])
    }

    @Test func `topics start from topic_defaults wherever those stand`() throws {
        let file = try read(
            with(
                """
                topics: {a: {history: {events: 5}}, b: {heartbeat: 1s}}
                topic_defaults: {heartbeat: 30s, history: {bytes: 1KiB}}
                """)
        ).configuration
        #expect(file.topics["a"]?.heartbeat == .seconds(30))
        #expect(file.topics["a"]?.history == History(events: 5, bytes: 1024))
        #expect(file.topics["b"]?.heartbeat == .seconds(1))
        #expect(file.topics["b"]?.history == History(bytes: 1024))
    }

    @Test func `variables are filled in and a doubled dollar is a literal`() throws {
        let file = try read(
            with(
                """
                routes:
                  - {match: /a, respond: "${A}-${B:-b}-${C:-c}-${D:-}-$${A}-$A"}
                shutdown_grace: ${T:-3s}
                """),
            environment: ["A": "x", "B": "", "C": "y"])
        #expect(file.configuration.routes[0].target == .respond(FixedResponse(body: "x-b-y--${A}-$A")))
        #expect(file.configuration.shutdownGrace == .seconds(3))
    }

    @Test func `relative paths start at the folder of the file`() throws {
        let file = try read("listeners: [\"unix:../run/s.sock\", \"unix:/a\"]")
        #expect(file.configuration.listeners.map(\.address) == ["unix:/etc/run/s.sock", "unix:/a"])
    }

    @Test func `a secret is read from a file without its last newline`() throws {
        let folder = try TemporaryFolder()
        try folder.write("t0ken\n", to: "token")
        let text = with(
            """
            topics: {t: }
            routes: [{match: /, publish: t, auth: {bearer: {file: token}}}]
            """)
        let file = try read(text, folder: folder.path)
        #expect(file.configuration.routes[0].authorization == .bearer(Secret("t0ken")))
    }

    @Test func `fields of a response keep their order and may come several times`() throws {
        let file = try read(with("routes: [{match: /, respond: {headers: {B: 1, A: [x, y], C: }}}]")).configuration
        let response = FixedResponse(headers: [("B", "1"), ("A", "x"), ("A", "y"), ("C", "")])
        #expect(file.routes[0].target == .respond(response))
    }

    @Test(arguments: [
        ("0", Duration.zero), ("0s", .zero), ("15s", .seconds(15)), ("500ms", .milliseconds(500)),
        ("2m", .seconds(120)), ("1h", .seconds(3600)),
    ])
    func `times`(text: String, time: Duration) {
        #expect(Scalars.duration(text) == time)
        #expect(Scalars.duration(Scalars.text(time)) == time)
    }

    @Test(arguments: ["", "s", "15", "-1s", "1.5s", "1 s", "1d", "9223372036854775807h", "99999999999999999999s", "٣s"])
    func `what is no time`(text: String) { #expect(Scalars.duration(text) == nil) }

    @Test(arguments: [("0", 0), ("17", 17), ("256KiB", 262_144), ("8MiB", 8 << 20), ("1GiB", 1 << 30)])
    func `sizes`(text: String, bytes: Int) {
        #expect(Scalars.bytes(text) == bytes)
        #expect(Scalars.bytes(Scalars.text(bytes: bytes)) == bytes)
    }

    @Test(arguments: ["", "KiB", "-1", "8MB", "1.5MiB", "9223372036854775807KiB", "99999999999999999999"])
    func `what is no size`(text: String) { #expect(Scalars.bytes(text) == nil) }
}
