import SluiceIO
import Testing

@testable import Sluice

/// What counts as health, with a scripted server.
struct HealthProbeTests {
    @Test func `it asks for the path, with the server's host, and says who asks`() throws {
        let fixture = try KeeperFixture()
        fixture.keeper.start()
        let request = try fixture.nextCheck().text
        #expect(request.hasPrefix("GET /healthz?deep HTTP/1.1\r\nHost: 127.0.0.1:\(fixture.port)\r\n"))
        #expect(request.contains("\r\nUser-Agent: sluice-health\r\n") && request.hasSuffix("\r\n\r\n"))
    }

    @Test(arguments: [("200 OK", true), ("204 No", true), ("399 X", true), ("400 X", false), ("503 X", false)])
    func `a status says how it is`(status: String, isUp: Bool) throws {
        let fixture = try KeeperFixture()
        fixture.keeper.start()
        // The opposite first, so that both are seen to be learnt.
        let first = try fixture.nextCheck()
        first.send("HTTP/1.1 \(isUp ? "500 X" : "200 OK")\r\nContent-Length: 0\r\n\r\n")
        try fixture.run { first.isClosed }
        #expect(fixture.isUp != isUp)
        let exchange = try fixture.nextCheck()
        exchange.send("HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 \(status)\r\nContent-Length: 9\r\n\r\n")
        if isUp { try fixture.up() } else { try fixture.down() }
        // Its body is not waited for.
        try fixture.run { exchange.isClosed }
    }

    @Test func `another status can be the one`() throws {
        let fixture = try KeeperFixture { $0.healthCheck?.status = 418 }
        fixture.keeper.start()
        try fixture.nextCheck().send("HTTP/1.1 200 OK\r\n\r\n")
        try fixture.down()
        try fixture.nextCheck().send("HTTP/1.1 418 Teapot\r\n\r\n")
        try fixture.up()
    }

    @Test(arguments: ["", "HTTP/1.1 20", "nonsense\r\n\r\n"])
    func `an answer that is none, or cut, is a failure`(answer: String) throws {
        let fixture = try KeeperFixture()
        fixture.keeper.start()
        let exchange = try fixture.nextCheck()
        exchange.send(answer)
        exchange.finish()
        try fixture.down()
    }

    @Test func `no answer in time is a failure, and a late one is not heard`() throws {
        let fixture = try KeeperFixture()
        fixture.keeper.start()
        let exchange = try fixture.nextCheck()
        fixture.pass(milliseconds: 1999)
        #expect(fixture.isUp)
        fixture.pass(milliseconds: 1)
        try fixture.down()
        try fixture.run { exchange.isClosed }
        exchange.send("HTTP/1.1 200 OK\r\n\r\n")
        fixture.settle()
        #expect(!fixture.isUp)
    }

    @Test func `nobody there is a failure, and is asked again`() throws {
        let fixture = try KeeperFixture("http://127.0.0.1:1")
        fixture.keeper.start()
        fixture.pass(milliseconds: 1)
        try fixture.down()
        #expect(fixture.loop.timers.count == 1)
    }

    @Test func `a server that does not speak TLS is not healthy`() throws {
        let fixture = try KeeperFixture(scheme: "https")
        fixture.keeper.start()
        fixture.clock.advance(milliseconds: 5000)
        try fixture.run { fixture.exchanges.first?.received.isEmpty == false }
        fixture.exchanges[0].send("HTTP/1.1 200 OK\r\n\r\n")
        try fixture.down()
    }

    @Test func `one check is under way at a time, and the next begins in its time`() throws {
        let fixture = try KeeperFixture()
        fixture.keeper.start()
        let exchange = try fixture.nextCheck()
        fixture.pass(milliseconds: 1500)
        exchange.send("HTTP/1.1 200 OK\r\n\r\n")
        try fixture.run { exchange.isClosed }
        fixture.pass(milliseconds: 3499)
        #expect(fixture.exchanges.count == 1)
        fixture.pass(milliseconds: 1)
        try fixture.run { fixture.exchanges.count == 2 }
    }
}
