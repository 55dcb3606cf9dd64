import Logging
import Testing

@testable import SluiceCLI

struct LogLineTests {
    private func text(_ message: String, _ metadata: Logger.Metadata = [:]) -> String {
        LogLine.text(time: "T", level: .info, message: message, metadata: metadata)
    }

    private func json(_ message: String, _ metadata: Logger.Metadata = [:]) -> String {
        LogLine.json(time: "T", level: .warning, message: message, metadata: metadata)
    }

    @Test func `a line of text has time, level, message and sorted metadata`() {
        #expect(
            text("listening", ["tls": "false", "address": "[::]:80"]) == "T info listening address=[::]:80 tls=false\n")
    }

    @Test func `values that are not one plain word are quoted`() {
        #expect(
            text("m", ["a": "x y", "b": "", "c": "q\"q", "d": "k=v"]) == #"T info m a="x y" b="" c="q\"q" d="k=v""#
                + "\n")
    }

    @Test func `nothing that a peer sends can begin a line or steer a terminal`() {
        for line in [text("a\nb\r\u{1B}[2J", ["k\n": "v\n\u{85}\u{2028}"]), json("a\nb\u{1B}", ["k\n": "v\n\u{9B}"])] {
            #expect(line.unicodeScalars.filter { $0 == "\n" }.count == 1 && line.hasSuffix("\n"))
            #expect(line.dropLast().unicodeScalars.allSatisfy { $0.value >= 32 && !(0x7F...0x9F).contains($0.value) })
        }
    }

    @Test func `a JSON line is one object`() {
        let line = json("said \"x\"", ["n": "1", "list": ["a", "b"], "map": ["k": "v"], "level": "mine"])
        #expect(
            line
                == #"{"time":"T","level":"warning","message":"said \"x\"","level_":"mine","list":["a","b"],"map":{"k":"v"},"n":"1"}"#
                + "\n")
    }
}
