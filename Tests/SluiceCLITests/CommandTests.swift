import ArgumentParser
import Sluice
import Testing

@testable import SluiceCLI

struct CommandTests {
    @Test func `relay makes one feed, one topic and one route`() throws {
        let command = try #require(
            try SluiceCommand.parseAsRoot(["relay", "http://a/b", "--listen", ":0", "--listen", "[::1]:0"])
                as? RelayCommand)
        let relay = command.relay
        #expect(relay.problems().isEmpty)
        #expect(relay.listeners.map(\.address) == [":0", "[::1]:0"])
        #expect(relay.sources == ["feed": .feed(url: "http://a/b")])
        #expect(relay.routes == [Route(RouteMatch(path: "/"), .subscribe("feed"), cors: CORSPolicy(origins: ["*"]))])
    }

    @Test(arguments: [
        ["fly"], ["run", "--unknown"], ["relay"], ["relay", "http://a"], ["relay", "ftp://a", "--listen", ":0"],
        ["relay", "http://a", "--listen", "nowhere"], ["check", "a", "b"], ["check", "a", "--config", "b"],
        ["cert", "a b"], ["cert", "--", "-x"],
    ])
    func `bad usage is refused`(arguments: [String]) {
        #expect { try SluiceCommand.parseAsRoot(arguments) } throws: { !SluiceCommand.exitCode(for: $0).isSuccess }
    }

    @Test(arguments: ["localhost", "127.0.0.1", "::1", "a.b-c.example", "*.example.com", "x_y"])
    func `names for a certificate`(name: String) { #expect(CertificateCommand.isName(name)) }

    @Test(arguments: [
        "", "a b", "a\nb", "-x.example", "x-.example", "a..b", ".", "*", "a.*", "a/b", "a,DNS:b", "::g",
        String(repeating: "a", count: 64), String(repeating: "a.", count: 130),
    ])
    func `what is no name for a certificate`(name: String) { #expect(!CertificateCommand.isName(name)) }

    @Test func `an error of the configuration is bad usage, one of the machine is not`() {
        #expect(Failure("x", status: Failure.usage).status == 2)
        #expect(Failure.atRunTime == 1)
    }
}
