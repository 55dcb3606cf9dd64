import Sluice
import Testing

@testable import SluiceConfiguration

struct PrintingTests {
    private static let full = """
        workers: 3
        log: {level: debug, format: json, access: {path: "/tmp/access off.log", format: combined, mask: [ticket]}}
        listeners:
          - "unix:/run/x.sock"
          - address: "[::1]:0"
            proxy_protocol: on
            tls: {development: on, directory: here, minimum_version: 1.3}
        sources:
          feed:
            url: "https://a.example/{x}?q=%7B"
            headers: {Authorization: "Bearer ${TOKEN}", X-Key: in-the-open, X-Part: "x${TOKEN}"}
            retry: {initial: 2s, maximum: 1m, jitter: 0.25, reset_after: 0, refused: 1h}
            idle_timeout: 1500ms
            id_prefix: "a-"
            dedupe: 0
            connect: always
            linger: 1s
            events: {include: [a, ": b"], exclude: [c], rename: {a: "{d}"}, prefix: "e "}
            status_event: "feed status"
          bearer: {url: "http://a.example", credentials: {bearer: "${TOKEN}"}}
          basic: {url: "http://a.example", credentials: {basic: {user: me, password: "${TOKEN}"}}}
          log: {command: [./bin/follow, -F, "a b", "$${x}"], event: line, environment: {KEY: "${TOKEN}"}, retry: {initial: 2s}}
          stream: {command: [curl, -N, http://a], format: sse, directory: /tmp}
          clock: {ticker: {every: 2s, event: ": # {}", data: "a\\nb\\t\\"\\\\\\x07\\u2028é", id: "${TOKEN}{n}"}}
        topics:
          "t.{x}": {sources: [feed], limit: 5, linger: 1s, gap_event: off, on_gap: live, opening_id: on, compression: off}
          t: {sources: [clock], ids: upstream, history: {events: 0, bytes: 3000, age: 0}, retry_jitter: 1}
        routes:
          - match: {host: "*.a.example", path: "/{x}", methods: [GET], accept: text/event-stream}
            subscribe: "t.{x}"
            cors: {origins: ["https://b.example"], credentials: on, headers: [X-A], expose: [X-B], max_age: 0}
            limits: {rate: {requests: 3, per: 1m, burst: 9, key: {cookie: c}}, streams: 5, body: 1MiB}
            security_headers: {frames: deny, referrer: off, hsts: 1h, hsts_subdomains: on}
          - match: {path: "/p/{t}"}
            publish: t
            limits: {rate: {requests: 1}, streams: {most: 2, key: {header: X-Key}}}
            security_headers: on
            request_id: off
            auth: {bearer: "${TOKEN}"}
          - match: {path: "/q"}
            publish: {allow: [t, "t.*"]}
            limits: {streams: {most: 2, key: {query: key}}}
            security_headers: {nosniff: off, frames: off, hsts: off}
          - match: /files/**
            files: {root: /tmp, index: [a.html, b.html], cache_control: "max-age=60", types: {x: "text/x; charset=utf-8"}}
          - match: /more/**
            files: /tmp
            rewrite: {add_prefix: /v1}
          - match: /**
            respond: {status: 404, headers: {A: [x, y], B: z}, body: "- no: $${such}"}
        limits: {connections: 10, feeds: 5, on_limit: status, write_timeout: 1m, feed_line: 1000}
        request_id: on
        trusted_proxies: [10.0.0.0/8, "::1"]
        """

    @Test func `what is printed reads back to the same`() throws {
        let environment = ["TOKEN": "t"]
        let file = try read(
            Self.full.replacing("X-Key: in-the-open, X-Part: \"x${TOKEN}\"", with: ""), environment: environment)
        let again = try read(file.effective, environment: environment, folder: "/elsewhere")
        expectSame(file.configuration, again.configuration)
        #expect(again.effective == file.effective)
    }

    @Test func `secrets are printed as they were referenced, or not at all`() throws {
        let printed = try read(Self.full, environment: ["TOKEN": "s3cret"]).effective
        #expect(printed.contains("Authorization: \"Bearer ${TOKEN}\""))
        #expect(printed.split(separator: "bearer: \"${TOKEN}\"").count == 3)
        #expect(printed.contains("password: \"${TOKEN}\""))
        #expect(printed.contains("X-Key: \"[secret]\""))
        #expect(printed.contains("X-Part: \"[secret]\""))
        #expect(!printed.contains("in-the-open"))
        // Only what is no secret by its key may hold it.
        #expect(printed.replacing("id: \"s3cret{n}\"", with: "").contains("s3cret") == false)
    }

    @Test func `a secret with a default in the file is not printed`() throws {
        let text = with("topics: {t: }\nroutes: [{match: /, publish: t, auth: {bearer: \"${T:-hunter2}\"}}]")
        #expect(!(try read(text).effective.contains("hunter2")))
    }

    @Test func `every key of the reference is printed for the smallest file`() throws {
        let printed = try read(with("")).effective
        for key in ["workers", "log", "listeners", "sources", "topics", "routes", "limits", "trusted_proxies"] {
            #expect(printed.contains("\n\(key):") || printed.hasPrefix("\(key):"), "\(key)")
        }
        for row in try #require(Format<Limits>.limits.table).rows { #expect(printed.contains("  \(row.name): ")) }
    }

    @Test(arguments: ["hello", "sluice", "relay", "site"])
    func `the ready configurations are right and print what reads back`(name: String) throws {
        let file = try ConfigurationFile(reading: "\(top)/conf/\(name).yaml", environment: [:])
        expectSame(file.configuration, try read(file.effective, folder: "/elsewhere").configuration)
    }

    @Test func `the reference in docs is current`() throws {
        // When this fails: swift run sluice reference > docs/configuration.md
        #expect(try contents(of: "\(top)/docs/configuration.md") == Reference.markdown)
    }
}
