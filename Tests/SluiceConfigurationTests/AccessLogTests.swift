import Sluice
import Testing

@testable import SluiceConfiguration

struct AccessLogTests {
    private func options(_ text: String, folder: String = "/tmp") throws -> AccessLogOptions {
        try read(with(text), folder: folder).configuration.log.access
    }

    @Test func `there is none unless the file says so`() throws {
        #expect(try options("").destination == .off)
        #expect(try options("log: {access: off}") == AccessLogOptions())
        #expect(try options("log: {access: }") == AccessLogOptions())
    }

    @Test func `the short form is where it goes`() throws {
        #expect(try options("log: {access: stdout}") == AccessLogOptions(.standardOutput))
        #expect(try options("log: {access: /tmp/a.log}") == AccessLogOptions(.file("/tmp/a.log")))
        #expect(try options("log: {access: {path: stdout}}") == AccessLogOptions(.standardOutput))
    }

    @Test func `a relative path starts at the file's folder, and a file may have any name`() throws {
        #expect(try options("log: {access: a.log}", folder: "/usr/lib").destination == .file("/usr/lib/a.log"))
        #expect(try options("log: {access: ../off}", folder: "/usr/lib").destination == .file("/usr/off"))
        #expect(try options("log: {access: ./stdout}").destination == .file("/tmp/stdout"))
    }

    @Test func `all keys`() throws {
        var expected = AccessLogOptions(.file("/tmp/a.log"), format: .combined)
        expected.mask = ["ticket", "pass key"]
        #expect(try options("log: {access: {path: a.log, format: combined, mask: [ticket, pass key]}}") == expected)
    }

    @Test func `what cannot be is an error at its place`() {
        #expect(
            errors(in: with("log: {access: {path: /nowhere/a.log}}")) == [
                "2:22: log.access.path: there is no folder /nowhere for the access log"
            ])
        #expect(errors(in: with("log: {access: /tmp}")) == ["2:15: log.access.path: /tmp is a folder"])
        #expect(errors(in: with("log: {access: \"\"}")).count == 1)
        #expect(
            errors(in: with("log: {access: {path: stdout, format: combind}}")) == [
                "2:38: log.access.format: expected json or combined, not \"combind\"; did you mean \"combined\"?"
            ])
        #expect(
            errors(in: with("log: {access: {path: stdout, mask: [\"\"]}}")) == [
                "2:37: log.access.mask[0]: expected the name of a parameter"
            ])
        #expect(errors(in: with("log: {access: [a]}")).count == 1)
    }

    @Test func `one built in code is checked alike`() {
        var configuration = Configuration()
        configuration.listeners = [ListenerOptions(":0")]
        configuration.log.access = AccessLogOptions(.file(""))
        #expect(
            configuration.problems().map(\.description) == [
                "log.access.path: expected stdout, off or the name of a file"
            ])
    }
}
