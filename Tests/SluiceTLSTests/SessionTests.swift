import Testing

@testable import SluiceTLS

struct SessionTests {
    let folder: TemporaryFolder
    let context: TLSServerContext
    let client: TLSClientContext

    init() throws {
        folder = try TemporaryFolder()
        context = try serverContext([folder.certificate("a.test")], alpn: ["h2", "http/1.1"])
        client = try TLSClientContext(authorities: folder.authority, alpn: ["http/1.1"])
    }

    private func pair() throws -> Pair {
        let pair = try Pair(context, client, name: "a.test").run()
        try #require(pair.isEstablished)
        return pair
    }

    @Test func `both sides agree and exchange bytes`() throws {
        let pair = try pair()
        #expect(pair.agreed.version == "TLSv1.3")
        #expect(pair.agreed.alpn == "http/1.1")
        #expect(pair.agreedByClient.alpn == "http/1.1")
        #expect(pair.agreed.serverName == "a.test")
        #expect(pair.fromClient("hello").isSealed)
        #expect(pair.fromServer("data: 1\n\n").isSealed)
        pair.run()
        #expect(pair.atServer.text == "hello")
        #expect(pair.atClient.text == "data: 1\n\n")
    }

    @Test func `a handshake works byte by byte`() throws {
        let pair = try Pair(context, client, name: "a.test").run(step: 1)
        #expect(pair.isEstablished)
        #expect(pair.fromClient("split").isSealed)
        pair.run(step: 1)
        #expect(pair.atServer.text == "split")
    }

    @Test func `a write larger than a record is sealed whole`() throws {
        let pair = try pair()
        let text = String(repeating: "0123456789abcdef", count: 50_000)
        #expect(pair.fromServer(text).isSealed)
        #expect(pair.serverPipe.outputCount > 800_000)
        pair.run(step: 7001)
        #expect(pair.atClient.text == text)
    }

    @Test func `an empty write makes nothing`() throws {
        let pair = try pair()
        #expect(pair.fromServer("").isSealed)
        #expect(pair.serverPipe.outputCount == 0)
    }

    @Test func `a write before the handshake is refused and does no harm`() throws {
        let pair = try Pair(context, client, name: "a.test")
        #expect(pair.fromServer("early").error?.kind == .misuse)
        pair.run()
        #expect(pair.agreed.isEstablished)
    }

    @Test func `close_notify goes both ways and is not an error`() throws {
        let pair = try pair()
        _ = pair.fromServer("last")
        pair.server.close(pipe: pair.serverPipe)
        pair.server.close(pipe: pair.serverPipe)
        #expect(pair.fromServer("after").error?.kind == .misuse)
        pair.run()
        #expect(pair.atClient.text == "last")
        #expect(pair.atClient.isClosed)
        #expect(pair.endAtClient().isClosed)
        #expect(pair.fromClient("still heard").isSealed)
        pair.client.close(pipe: pair.clientPipe)
        pair.run()
        #expect(pair.atServer.text == "still heard")
        #expect(pair.atServer.isClosed)
        #expect(pair.endAtServer().isClosed)
    }

    @Test func `what follows close_notify is ignored`() throws {
        let pair = try pair()
        pair.client.close(pipe: pair.clientPipe)
        pair.toServer(take(pair.clientPipe) + [1, 2, 3, 4, 5, 6])
        #expect(pair.atServer.isClosed)
        #expect(pair.atServer.error == nil)
        #expect(pair.serverPipe.unreadCount == 0)
        pair.toServer([9, 9, 9, 9, 9, 9])
        #expect(pair.atServer.error == nil)
    }

    @Test func `an end without close_notify is a truncation`() throws {
        let pair = try pair()
        _ = pair.fromServer("half")
        pair.run()
        #expect(pair.endAtClient().error?.kind == .truncated)
        #expect(pair.fromClient("x").error?.kind == .truncated)
    }

    @Test func `an end within a record is a truncation`() throws {
        let pair = try pair()
        _ = pair.fromServer("half")
        pair.toClient(take(pair.serverPipe).dropLast())
        #expect(pair.atClient.bytes.isEmpty)
        #expect(pair.endAtClient().error?.kind == .truncated)
    }

    @Test func `an end within the handshake is a truncation`() throws {
        let pair = try Pair(context, client, name: "a.test")
        #expect(pair.endAtServer().error?.kind == .truncated)
    }

    @Test func `a changed byte fails the session for good and an alert is sent`() throws {
        let pair = try pair()
        _ = pair.fromClient("hello")
        var bytes = take(pair.clientPipe)
        bytes[bytes.count - 1] ^= 1
        pair.toServer(bytes)
        #expect(pair.atServer.error?.kind == .handshake)
        #expect(pair.serverPipe.outputCount > 0)
        #expect(pair.atServer.bytes.isEmpty)
        #expect(pair.fromServer("x").error?.kind == .handshake)
        pair.atServer.error = nil
        pair.toServer([])
        #expect(pair.atServer.error?.kind == .handshake)
        _ = take(pair.serverPipe)
        pair.server.close(pipe: pair.serverPipe)
        #expect(pair.serverPipe.outputCount == 0)
    }

    @Test func `garbage fails the handshake`() throws {
        for first in [UInt8(0), 0x16, 0x80, 0xFF] {
            let pair = try Pair(context, client, name: "a.test")
            pair.toServer([first] + [UInt8](repeating: 0xFE, count: 300))
            #expect(pair.atServer.error?.kind == .handshake)
        }
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n\r\n", "OPTIONS * HTTP/1.1\r\n", "DELETE /x HTTP/1.1\r\n", "CONNECT a:1 HTTP/1.1\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ])
    func `plain HTTP on the TLS port is recognised and no alert is made`(_ request: String) throws {
        for step in [1, .max] {
            let pair = try Pair(context, client, name: "a.test")
            pair.toServer(Array(request.utf8), step)
            #expect(pair.atServer.error?.isPlainHTTP == true)
            #expect(pair.serverPipe.outputCount == 0)
        }
    }

    @Test func `another protocol on the TLS port is not taken for HTTP`() throws {
        let pair = try Pair(context, client, name: "a.test")
        pair.toServer(Array("SSH-2.0-OpenSSH_9.2\r\n".utf8))
        #expect(pair.atServer.error?.kind == .handshake)
    }

    @Test func `sessions of one pipe do not see each other's bytes`() throws {
        let pipe = TLSPipe()
        let clientPipe = TLSPipe()
        var received = Pair.Received()
        var one = try TLSSession(accepting: context, pipe: pipe)
        var other = try TLSSession(accepting: context, pipe: pipe)
        var peer = try TLSSession(connecting: client, serverName: "a.test", pipe: clientPipe)
        feed(&peer, clientPipe, [], .max, &received)
        let hello = take(clientPipe)
        unsafe hello.withUnsafeBytes { bytes in
            unsafe one.begin(bytes, pipe: pipe)
            readAll(&other, pipe, &received)
        }
        #expect(pipe.outputCount == 0)
        #expect(received.error == nil)
        feed(&one, pipe, hello, .max, &received)
        #expect(pipe.outputCount > 0)
    }

    @Test func `a write between two reads loses no input`() throws {
        let pair = try pair()
        _ = pair.fromClient("one")
        _ = pair.fromClient("two")
        let bytes = take(pair.clientPipe)
        var buffer = [UInt8](repeating: 0, count: 64)
        unsafe bytes.withUnsafeBytes { input in
            unsafe pair.server.begin(input, pipe: pair.serverPipe)
            _ = unsafe buffer.withUnsafeMutableBytes { unsafe pair.server.read(into: $0, pipe: pair.serverPipe) }
            #expect(pair.serverPipe.unreadCount > 0)
            #expect(pair.fromServer("answer").isSealed)
            readAll(&pair.server, pair.serverPipe, &pair.atServer)
        }
        #expect(String(decoding: buffer.prefix(3), as: UTF8.self) == "one")
        #expect(pair.atServer.text == "two")
        pair.run()
        #expect(pair.atClient.text == "answer")
    }

    @Test func `a session outlives its pipe without harm`() throws {
        var pipe: TLSPipe? = TLSPipe()
        var session = try TLSSession(accepting: context, pipe: try #require(pipe))
        pipe = nil
        let another = TLSPipe()
        var received = Pair.Received()
        feed(&session, another, [UInt8](repeating: 0x16, count: 10), .max, &received)
        #expect(received.error != nil)
    }

    @Test func `a burst of output is given back`() throws {
        let pair = try pair()
        _ = pair.fromServer(String(repeating: "x", count: 2 << 20))
        #expect(pair.serverPipe.outputCapacity > 2 << 20)
        pair.serverPipe.clearOutput()
        #expect(pair.serverPipe.outputCapacity == 64 * 1024)
        #expect(pair.serverPipe.outputCount == 0)
    }
}
