import SluiceIO
import Testing

@testable import Sluice

struct UpstreamServerTests {
    @Test func `a URL says how a server is reached`() throws {
        let name = try UpstreamServer("https://a.example")
        #expect(name.isSecure && name.host == "a.example" && name.port == 443 && name.address == nil)
        #expect(name.authority == "a.example")
        let literal = try UpstreamServer("http://[::1]:3000/")
        #expect(literal.address == .ip(.loopbackV6, port: 3000) && literal.authority == "[::1]:3000")
        let unix = try UpstreamServer("unix:/run/app.sock")
        #expect(unix.address == .unix("/run/app.sock") && unix.authority == "localhost" && !unix.isSecure)
    }
}
