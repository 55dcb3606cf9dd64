import SluiceHTTP
import SluiceIO
import SluiceSSE
import Testing

@testable import Sluice

@Suite struct StreamClientTests {
    @Test func `it connects, asks and reports what comes`() throws {
        let fixture = try StreamClientFixture()
        fixture.client.start()
        let exchange = try fixture.accept()
        #expect(exchange.text.hasPrefix("GET /feed HTTP/1.1\r\n"))
        exchange.stream(": hello\nretry: 200\ndata: one\n\n")
        #expect(try fixture.reports(4) == ["opened", "comment hello", "retry 200", "event one"])
        exchange.send("data: two\n")
        exchange.send("\n")
        #expect(try fixture.reports(5).last == "event two")
    }

    @Test func `an end in good order is followed by another attempt with the last id`() throws {
        let fixture = try StreamClientFixture()
        fixture.client.start()
        let first = try fixture.accept()
        first.stream("id: 5\ndata: one\n\ndata: half")
        first.finish()
        #expect(try fixture.reports(3) == ["opened", "event one", "ended ended 1000"])
        #expect(fixture.client.state == .waiting)
        fixture.pass(milliseconds: 999)
        #expect(fixture.client.state == .waiting)
        fixture.pass(milliseconds: 1)
        let second = try fixture.accept()
        #expect(second.text.contains("\r\nLast-Event-ID: 5\r\n"))
        #expect(fixture.exchanges.count == 2)
    }

    @Test func `a body of known length ends with its last byte`() throws {
        let fixture = try StreamClientFixture()
        fixture.client.start()
        try fixture.accept().stream("data: one\n\n", fields: "Content-Length: 11\r\n")
        #expect(try fixture.reports(3) == ["opened", "event one", "ended ended 1000"])
    }

    @Test func `a chunked body that is cut is a failure`() throws {
        let fixture = try StreamClientFixture()
        fixture.client.start()
        let exchange = try fixture.accept()
        exchange.stream("b\r\ndata: one\n\n\r\n", fields: "Transfer-Encoding: chunked\r\n")
        #expect(try fixture.reports(2) == ["opened", "event one"])
        exchange.finish()
        #expect(try fixture.reports(3).last == "ended cut 1000")
    }

    @Test func `silence ends a stream, any byte counts as life`() throws {
        let fixture = try StreamClientFixture { $1.idleMilliseconds = 45_000 }
        fixture.client.start()
        let exchange = try fixture.accept()
        exchange.stream("data: ha")
        _ = try fixture.reports(1)
        for _ in 0..<5 {
            fixture.pass(milliseconds: 44_000)
            exchange.send("x")
            try fixture.run { fixture.client.lastHeard == fixture.context.now }
        }
        #expect(fixture.reports == ["opened"])
        fixture.pass(milliseconds: 44_999)
        #expect(fixture.reports == ["opened"])
        fixture.pass(milliseconds: 1)
        #expect(fixture.reports == ["opened", "ended timeout 1000"])
    }

    @Test func `a head that drips has a time too`() throws {
        let fixture = try StreamClientFixture { $1.idleMilliseconds = 45_000 }
        fixture.client.start()
        let exchange = try fixture.accept()
        exchange.send("HTTP/1.1 200 OK\r\n")
        for _ in 0..<4 {
            fixture.pass(milliseconds: 10_000)
            exchange.send("X: y\r\n")
            fixture.settle()
        }
        fixture.pass(milliseconds: 5000)
        #expect(fixture.reports == ["ended timeout 1000"])
    }

    @Test func `without a read timeout silence is borne`() throws {
        let fixture = try StreamClientFixture { $1.idleMilliseconds = nil }
        fixture.client.start()
        try fixture.accept().stream()
        _ = try fixture.reports(1)
        fixture.pass(milliseconds: 10_000_000)
        #expect(fixture.client.state == .streaming)
    }

    @Test func `204 stops it until it is started again`() throws {
        let fixture = try StreamClientFixture()
        fixture.client.start()
        try fixture.accept().send("HTTP/1.1 204 No Content\r\n\r\n")
        #expect(try fixture.reports(1) == ["ended stopped never"])
        fixture.pass(milliseconds: 10_000_000)
        #expect(fixture.exchanges.count == 1)
        fixture.client.start()
        try fixture.accept().stream()
        #expect(try fixture.reports(2).last == "opened")
    }

    @Test func `a refusal is asked again after long`() throws {
        let fixture = try StreamClientFixture()
        fixture.client.start()
        try fixture.accept().send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
        #expect(try fixture.reports(1) == ["ended refused 300000"])
        #expect(fixture.context.counters.feeds[.refused] == 1)
    }

    @Test func `a redirect is followed in the same attempt, without secrets abroad`() throws {
        let fixture = try StreamClientFixture { request, _ in
            request.fields = [.init("Authorization", "Bearer x")]
        }
        fixture.client.start()
        let first = try fixture.accept()
        #expect(first.text.contains("Authorization: Bearer x\r\n"))
        first.send("HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n")
        let second = try fixture.accept()
        #expect(second.text.hasPrefix("GET /b "))
        #expect(second.text.contains("Authorization: Bearer x\r\n"))
        second.send("HTTP/1.1 308 Moved\r\nLocation: http://localhost:\(fixture.port)/c\r\n\r\n")
        let third = try fixture.accept()
        #expect(third.text.hasPrefix("GET /c "))
        #expect(!third.text.contains("Authorization"))
        third.stream("data: here\n\n")
        #expect(try fixture.reports(2) == ["opened", "event here"])
        #expect(fixture.lookups == ["127.0.0.1", "127.0.0.1", "localhost"])
    }

    @Test func `a loop of redirects ends in an error`() throws {
        let fixture = try StreamClientFixture()
        fixture.client.start()
        for _ in 0...5 {
            try fixture.accept().send("HTTP/1.1 301 Moved\r\nLocation: /feed\r\nContent-Length: 0\r\n\r\n")
        }
        #expect(try fixture.reports(1) == ["ended redirect 1000"])
        #expect(fixture.exchanges.count == 6)
    }

    @Test func `what is sent again after a reconnect is reported once`() throws {
        let fixture = try StreamClientFixture()
        fixture.client.start()
        let first = try fixture.accept()
        first.stream("id: 1\ndata: a\n\nid: 2\ndata: b\n\n")
        first.finish()
        _ = try fixture.reports(4)
        fixture.pass(milliseconds: 1000)
        try fixture.accept().stream("id: 2\ndata: b\n\nid: 3\ndata: c\n\n")
        #expect(try fixture.reports(7).suffix(3) == ["opened", "duplicate", "event c"])
        #expect(fixture.context.counters.feeds.duplicates == 1)
    }

    @Test func `every address is tried, and the losers are closed`() throws {
        let fixture = try StreamClientFixture()
        // Nobody listens on these.
        let dead = try ["127.0.0.2", "127.0.0.3"].map { text -> SocketAddress in
            .ip(try #require(IPAddress(text)), port: fixture.port)
        }
        fixture.addresses = .success(dead + [.ip(.loopbackV4, port: fixture.port)])
        fixture.client.start()
        try fixture.accept().stream()
        #expect(try fixture.reports(1) == ["opened"])
        #expect(fixture.client.racers.isEmpty)
    }

    @Test func `an address that says nothing does not hold up the next one`() throws {
        let fixture = try StreamClientFixture()
        // Its queue is full: the kernel drops what comes after these.
        let silent = try Listener.open(.ip(.loopbackV4, port: 0), backlog: 0, sharing: false)
        var queued: [Int32] = []
        defer { for descriptor in queued { _ = Socket(FileDescriptor(owning: descriptor)) } }
        for _ in 0..<4 { queued.append(try Socket.connecting(to: silent.boundAddress).release()) }
        fixture.addresses = .success([silent.boundAddress, .ip(.loopbackV4, port: fixture.port)])
        fixture.client.start()
        fixture.settle()
        #expect(fixture.client.racers.count == 1)
        fixture.pass(milliseconds: 249)
        #expect(fixture.client.racers.count == 1)
        fixture.pass(milliseconds: 1)
        try fixture.accept().stream()
        #expect(try fixture.reports(1) == ["opened"])
        #expect(fixture.client.racers.isEmpty)
        // Alone it has ten seconds.
        fixture.addresses = .success([silent.boundAddress])
        fixture.client.restart()
        fixture.settle()
        fixture.pass(milliseconds: 9999)
        #expect(fixture.client.state == .connecting)
        fixture.pass(milliseconds: 1)
        #expect(fixture.reports.last == "ended connect 1000")
    }

    @Test func `an address that connects in vain is not the first to be tried again`() throws {
        let fixture = try StreamClientFixture()
        let other = try Listener.open(.ip(.loopbackV4, port: 0), sharing: false)
        fixture.addresses = .success([.ip(.loopbackV4, port: fixture.port), other.boundAddress])
        fixture.client.start()
        try fixture.accept().finish()
        #expect(try fixture.reports(1) == ["ended connect 1000"])
        fixture.pass(milliseconds: 1000)
        try fixture.run { fixture.client.state == .awaitingHead }
        #expect(fixture.client.address == other.boundAddress)
    }

    @Test func `when no address answers the attempt fails with a reason`() throws {
        let fixture = try StreamClientFixture()
        fixture.addresses = .success([.ip(try #require(IPAddress("127.0.0.2")), port: fixture.port)])
        var reason = ""
        fixture.onReport = { if case .ended(let fault, _) = $0 { reason = "\(fault)" } }
        fixture.client.start()
        #expect(try fixture.reports(1) == ["ended connect 1000"])
        #expect(reason.contains("127.0.0.2") && reason.contains("ECONNREFUSED"))
    }

    @Test func `a name that is not found is asked again`() throws {
        let fixture = try StreamClientFixture()
        fixture.addresses = .failure(.notFound)
        fixture.client.start()
        #expect(try fixture.reports(1) == ["ended lookup 1000"])
        fixture.addresses = nil
        fixture.pass(milliseconds: 1000)
        try fixture.accept().stream()
        #expect(try fixture.reports(2).last == "opened")
        #expect(fixture.lookups.count == 2)
    }
}

/// Commands, also from within a report.
@Suite struct StreamClientCommandTests {
    @Test func `paused it reads nothing; resumed it loses nothing`() throws {
        let fixture = try StreamClientFixture()
        fixture.onReport = { report in
            if case .received = report { fixture.client.pause() }
        }
        fixture.client.start()
        let exchange = try fixture.accept()
        // Two chunks in one read: the second is held.
        exchange.stream(
            "b\r\ndata: one\n\n\r\nb\r\ndata: two\n\n\r\n0\r\n\r\n", fields: "Transfer-Encoding: chunked\r\n")
        exchange.finish()
        #expect(try fixture.reports(2) == ["opened", "event one"])
        fixture.pass(milliseconds: 10_000_000)
        #expect(fixture.reports.count == 2)
        fixture.client.resume()
        #expect(fixture.reports == ["opened", "event one", "event two"])
        fixture.client.resume()
        fixture.settle()
        #expect(try fixture.reports(4).last == "ended ended 1000")
    }

    @Test func `a reset while it is paused is noticed when it goes on`() throws {
        let fixture = try StreamClientFixture()
        fixture.client.start()
        let exchange = try fixture.accept()
        exchange.stream("data: one\n\n")
        _ = try fixture.reports(2)
        fixture.client.pause()
        exchange.send("data: two\n\n")
        exchange.finish()
        fixture.settle()
        #expect(fixture.reports.count == 2)
        fixture.client.resume()
        #expect(try fixture.reports(4).suffix(2) == ["event two", "ended ended 1000"])
    }

    @Test func `stopped within a report it reports nothing more`() throws {
        let fixture = try StreamClientFixture()
        fixture.onReport = { report in
            if case .received = report { fixture.client.stop() }
        }
        fixture.client.start()
        try fixture.accept().stream(
            "b\r\ndata: one\n\n\r\nb\r\ndata: two\n\n\r\n", fields: "Transfer-Encoding: chunked\r\n")
        #expect(try fixture.reports(2) == ["opened", "event one"])
        fixture.pass(milliseconds: 10_000_000)
        #expect(fixture.reports.count == 2)
        #expect(fixture.client.state == .idle)
        #expect(fixture.client.isConnected == false)
    }

    @Test func `restarted it asks anew at its position, with one attempt pending`() throws {
        let fixture = try StreamClientFixture()
        fixture.client.start()
        let first = try fixture.accept()
        first.stream("id: 9\ndata: one\n\n")
        _ = try fixture.reports(2)
        fixture.client.restart()
        fixture.client.restart()
        fixture.settle()
        let second = try fixture.accept()
        #expect(second.text.contains("Last-Event-ID: 9\r\n"))
        try fixture.run { first.isClosed }
        fixture.settle()
        #expect(fixture.exchanges.count == 2)
    }

    @Test func `a late answer of the resolver belongs to nobody`() throws {
        let fixture = try StreamClientFixture()
        fixture.client.start()
        _ = try fixture.accept()
        fixture.client.resolved(.success([.ip(.loopbackV4, port: 1)]), attempt: 0)
        #expect(fixture.client.state == .awaitingHead)
    }

    @Test func `a POST sends its body, in each attempt`() throws {
        let fixture = try StreamClientFixture { request, _ in
            request.method = .post
            request.body = Array("{}".utf8)
        }
        fixture.client.start()
        let first = try fixture.accept()
        try fixture.run { first.text.hasSuffix("{}") }
        #expect(first.text.hasPrefix("POST /feed ") && first.text.contains("Content-Length: 2\r\n"))
        first.finish()
        #expect(try fixture.reports(1) == ["ended connect 1000"])
        fixture.pass(milliseconds: 1000)
        let second = try fixture.accept()
        try fixture.run { second.text.hasSuffix("{}") }
    }
}
