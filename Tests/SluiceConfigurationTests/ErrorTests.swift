import Sluice
import Testing

@testable import SluiceConfiguration

struct ErrorTests {
    @Test func `all errors are reported at once, sorted by place`() {
        let text = """
            listeners:
              - ":8080"
              - "127.0.0.1:99999"
            topics:
              hello:
                sources: [clok]
                heartbeat: fifteen
                histroy: {events: 10}
            sources:
              clock: {ticker: {evry: 2s}}
            routes:
              - {match: /, subscribe: helo}
            limits: {request_head: 64KB}
            shutdown_grace: 1s
            shutdown_grace: 2s
            """
        let expected = [
            "3:5: listeners[1].address: expected an address such as \":8080\", not \"127.0.0.1:99999\": the port must be a "
                + "number from 0 to 65535",
            "6:15: topics.hello.sources[0]: there is no source \"clok\"; did you mean \"clock\"?",
            "7:16: topics.hello.heartbeat: expected a time such as 15s, 500ms, 2m or 1h, not \"fifteen\"",
            "8:5: topics.hello.histroy: this key is not known; did you mean \"history\"?",
            "10:20: sources.clock.ticker.evry: this key is not known; did you mean \"every\"?",
            "12:27: routes[0].subscribe.topics[0]: there is no topic \"helo\"; did you mean \"hello\"?",
            "13:24: limits.request_head: expected a size such as 256KiB or 8MiB, not \"64KB\"; did you mean \"64KiB\"?",
            "15:1: shutdown_grace: is given twice; first in line 14",
        ]
        #expect(errors(in: text) == expected)
    }

    @Test func `keys of what is not built are not known`() {
        let unknown = [
            "admin: {}",
            "listeners: [{address: \":0\", tls: {development: on, client_ca: x}}]",
        ]
        for text in unknown {
            let found = errors(in: text.hasPrefix("listeners") ? text : with(text))
            #expect(found.count == 1, "\(text): \(found)")
            #expect(found.allSatisfy { $0.contains("this key is not known") }, "\(text): \(found)")
        }
    }

    @Test(arguments: [
        ("listeners: [\n", "2:1: this is not YAML"), ("\tlisteners: 1", "1:1: this is not YAML"),
        ("- 1", "1:1: expected keys and values, not a list"), ("", "1:1: listeners: this key is missing"),
        ("x", "1:1: expected keys and values, not \"x\""), ("a: 1\n---\nb: 1", "2:1: this is not YAML"),
        ("? [a]\n: 1\nlisteners: [\":0\"]", "1:3: expected a key"),
        ("listeners: [\":0\"]\nworkers: [1]", "2:10: workers: expected auto or a whole number, not a list"),
        ("listeners: [\":0\"]\nlog: 5", "2:6: log: expected keys and values, not \"5\""),
        ("listeners: [\":0\"]\ntopics: {a: 5}", "2:13: topics.a.sources: expected a list of the names of sources"),
        ("listeners: :8080", "1:12: listeners: expected a list of listeners, not \":8080\""),
    ])
    func `wrong shapes`(text: String, expected: String) {
        let found = errors(in: text)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.hasPrefix(expected) == true, "\(found)")
    }

    @Test func `keys given twice are found in every object, quoted or not, with what else is wrong`() {
        let text = """
            listeners: [":0"]
            topics:
              a: {heartbeat: 1s, 'heartbeat': 2s}
              "b":
                heartbeat: 5
              b: {}
              b: {}
            """
        #expect(
            errors(in: text) == [
                "3:22: topics.a.heartbeat: is given twice; first in line 3",
                "5:16: topics.b.heartbeat: expected a time such as 15s, 500ms, 2m or 1h, not \"5\"; did you mean \"5s\"?",
                "6:3: topics.b: is given twice; first in line 4", "7:3: topics.b: is given twice; first in line 6",
            ])
    }

    @Test func `aliases are refused before they can grow`() {
        let levels = (1...40).map { "a\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1)]" }.joined(separator: "\n")
        let found = errors(in: "a0: &a0 x\n" + levels + "\n? *a40\n: x")
        #expect(found == ["2:10: the alias *a0 is not followed; write the value out"])
    }

    @Test func `stars and ampersands in texts are no aliases`() throws {
        let text = with("routes: [{match: /, respond: \"* a & *b, rock &roll\"}] # &c *d")
        #expect(errors(in: text).isEmpty)
    }

    @Test func `a file over 1 MiB or nested without end is refused`() {
        #expect(errors(in: String(repeating: "#", count: 1_048_577)).first?.contains("larger than 1 MiB") == true)
        let deep = String(repeating: "[", count: 500) + String(repeating: "]", count: 500)
        #expect(errors(in: with("workers: " + deep)).contains { $0.contains("nested too deep") })
        #expect(!errors(in: with("workers: " + String(repeating: "[", count: 100_000))).isEmpty)
    }

    @Test(arguments: ["${NONE}", "${", "${1A}", "${A-b}", "${}"])
    func `variables that cannot be filled are errors`(text: String) {
        let found = errors(in: with("routes: [{match: /, respond: '\(text)'}]"))
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("2:30: routes[0].respond.body: ") == true, "\(found)")
    }

    @Test func `an error in a filled value shows what it was filled with`() {
        let found = errors(in: with("workers: ${N}"), environment: ["N": "many"])
        #expect(found == ["2:10: workers: expected auto or a whole number, not \"many\", from \"${N}\""])
    }

    @Test func `missing files are errors`() {
        let text = """
            listeners:
              - address: ":0"
                tls: {certificates: [{certificate: no.pem, key: no.key}]}
            sources: {a: {url: https://a.example/, ca: none.pem}}
            topics: {t: }
            routes:
              - {match: /, respond: {file: none.html}}
              - {match: /p, publish: t, auth: {bearer: {file: none}}}
            """
        let found = errors(in: text)
        #expect(
            found.map { $0.prefix { $0 != " " } } == ["3:40:", "3:53:", "4:44:", "7:32:", "8:51:"], "\(found)")
        #expect(found.first?.contains("/etc/x/no.pem cannot be read: No such file") == true, "\(found)")
    }

    @Test func `a file that is missing is named`() {
        do throws(ConfigurationErrors) {
            _ = try ConfigurationFile(reading: "/nowhere/x.yaml", environment: [:])
            Issue.record("it was read")
        } catch {
            #expect(error.description.hasPrefix("/nowhere/x.yaml: the file /nowhere/x.yaml cannot be read"))
        }
    }

    @Test func `no message shows a secret`() {
        let found = errors(
            in: with(
                """
                topics: {t: }
                sources: {s: {url: http://a/, headers: {Authorization: "Bearer hun\\nter2"}}}
                routes:
                  - {match: /a, publish: t, auth: hunter2}
                  - {match: /b, publish: t, auth: {bearer: "hunter2 x"}}
                  - {match: /c, publish: t, auth: {bearer: "[secret]"}}
                """))
        #expect(found.count == 4)
        #expect(!found.contains { $0.contains("hunter2") || $0.contains("ter2") }, "\(found)")
    }

    @Test func `keys that do not go together`() {
        let found = errors(
            in: with(
                """
                sources:
                  a: {ticker: {every: 1s}, url: http://a/}
                  b: {ticker: {every: 1s}, retry: {initial: 1s}}
                  c: {}
                routes:
                  - {match: /a, respond: {body: x, file: y}}
                  - {match: /b}
                  - {match: /c, respond: x, publish: t}
                  - {match: /d, publish: {topic: t, allow: [t]}}
                  - {match: /e, publish: {}}
                topics: {t: }
                """))
        #expect(
            found.filter { !$0.contains("cannot be read") } == [
                "3:28: sources.a.url: ticker and url do not go together",
                "4:28: sources.b.retry: this key stands only beside url or command",
                "5:6: sources.c: one of url, command, ticker is missing",
                "7:36: routes[0].respond.file: body and file do not go together",
                "8:5: routes[1]: one of subscribe, publish, proxy, respond, redirect, files is missing",
                "9:29: routes[2].publish: respond and publish do not go together",
                "10:37: routes[3].publish.allow: topic and allow do not go together",
                "11:26: routes[4].publish: one of topic, allow is missing",
            ])
    }

    @Test func `a command is a list, for no shell reads it`() {
        #expect(
            errors(in: with("sources: {s: {command: tail -F app.log}}")) == [
                "2:24: sources.s.command: expected a list of a program and its arguments, such as [tail, -F, app.log] "
                    + "(no shell is used), not \"tail -F app.log\""
            ])
        #expect(
            errors(in: with("sources: {s: {command: []}}")) == [
                "2:24: sources.s.command: expected a program and its arguments, such as [tail, -F, app.log]"
            ])
        #expect(
            errors(in: with("sources: {s: {command: [a], url: http://a/}}")) == [
                "2:29: sources.s.url: command and url do not go together"
            ])
    }

    @Test func `keys that need another one`() {
        let found = errors(
            in: with(
                """
                sources:
                  a: {url: http://a/, format: sse}
                  b: {command: [x], idle_timeout: 1s}
                  c: {ticker: {every: 1s}, retry: {initial: 1s}}
                """))
        #expect(
            found == [
                "3:23: sources.a.format: this key stands only beside command",
                "4:21: sources.b.idle_timeout: this key stands only beside url",
                "5:28: sources.c.retry: this key stands only beside url or command",
            ])
    }
}
