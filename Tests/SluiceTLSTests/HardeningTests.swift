import COpenSSL
import Testing

@testable import SluiceTLS

/// SSL_OP_NO_RENEGOTIATION, a macro that Swift cannot import.
private let noRenegotiation: UInt64 = 1 << 30

/// What a hostile or old peer may not do.
struct HardeningTests {
    let folder: TemporaryFolder
    let context: TLSServerContext
    let client: TLSClientContext

    init() throws {
        folder = try TemporaryFolder()
        context = try serverContext([folder.certificate("a.test")], alpn: ["h2", "http/1.1"])
        client = try TLSClientContext(authorities: folder.authority, alpn: ["h2"])
    }

    private func pair(_ change: (Pair) -> Void = { _ in }) throws -> Pair {
        let pair = try Pair(context, client, name: "a.test")
        change(pair)
        return pair.run()
    }

    private func limitTo12(_ pair: Pair) {
        unsafe _ = SSL_ctrl(pair.client.ssl, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(TLS1_2_VERSION), nil)
    }

    /// The alert that `bytes` end with in clear, if they do.
    private func alert(_ bytes: [UInt8]) -> [UInt8]? {
        bytes.count >= 7 && bytes[bytes.count - 7] == 21 ? Array(bytes.suffix(2)) : nil
    }

    @Test func `an ALPN list without overlap gets the fatal alert 120`() throws {
        let odd = try TLSClientContext(authorities: folder.authority, alpn: ["spdy/1"])
        let pair = try Pair(context, odd, name: "a.test")
        pair.toClient([])
        pair.toServer(take(pair.clientPipe))
        #expect(pair.atServer.error?.kind == .handshake)
        #expect(alert(take(pair.serverPipe)) == [2, 120])
    }

    @Test func `a client without ALPN is welcome`() throws {
        let plain = try TLSClientContext(authorities: folder.authority, alpn: [])
        let pair = try Pair(context, plain, name: "a.test").run()
        #expect(pair.agreed.isEstablished)
        #expect(pair.agreed.alpn == nil)
    }

    @Test func `the server's order of protocols counts`() throws {
        let both = try TLSClientContext(authorities: folder.authority, alpn: ["http/1.1", "h2"])
        #expect(try Pair(context, both, name: "a.test").run().agreed.alpn == "h2")
    }

    @Test(arguments: [TLS1_VERSION, TLS1_1_VERSION])
    func `TLS 1.0 and 1.1 are refused with protocol_version`(_ version: Int32) throws {
        let pair = try Pair(context, client, name: "a.test")
        unsafe SSL_set_security_level(pair.client.ssl, 0)
        unsafe _ = SSL_ctrl(pair.client.ssl, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(version), nil)
        unsafe _ = SSL_ctrl(pair.client.ssl, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil)
        unsafe _ = SSL_set_cipher_list(pair.client.ssl, "ALL:@SECLEVEL=0")
        pair.toClient([])
        pair.toServer(take(pair.clientPipe))
        #expect(pair.atServer.error?.kind == .handshake)
        #expect(alert(take(pair.serverPipe)) == [2, 70])
    }

    @Test func `a listener for 1.3 alone refuses 1.2`() throws {
        let strict = try serverContext([folder.certificate("a.test")], minimum: .v13)
        let pair = try Pair(strict, client, name: "a.test")
        limitTo12(pair)
        pair.run()
        #expect(pair.atServer.error?.kind == .handshake)
        #expect(try Pair(strict, client, name: "a.test").run().agreed.version == "TLSv1.3")
    }

    @Test func `on 1.2 the server's order of suites counts`() throws {
        let pair = try pair {
            limitTo12($0)
            let suites = "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256"
            unsafe _ = SSL_set_cipher_list($0.client.ssl, suites)
        }
        #expect(pair.agreed.version == "TLSv1.2")
        #expect(pair.agreed.cipher == "ECDHE-ECDSA-AES128-GCM-SHA256")
    }

    @Test(arguments: [
        "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA", "ECDHE-ECDSA-AES128-CCM", "AES128-GCM-SHA256",
    ])
    func `on 1.2 other suites are refused`(_ suite: String) throws {
        let pair = try pair {
            limitTo12($0)
            unsafe _ = SSL_set_cipher_list($0.client.ssl, suite)
        }
        #expect(pair.atServer.error?.kind == .handshake)
    }

    @Test func `renegotiation is refused`() throws {
        let pair = try pair(limitTo12)
        try #require(pair.agreed.isEstablished)
        unsafe _ = SSL_clear_options(pair.client.ssl, noRenegotiation)
        #expect(unsafe SSL_renegotiate(pair.client.ssl) == 1)
        unsafe _ = SSL_do_handshake(pair.client.ssl)
        let hello = take(pair.clientPipe)
        #expect(hello.count > 100)
        pair.toServer(hello)
        // One sealed warning (no_renegotiation), never a second handshake.
        let answer = take(pair.serverPipe)
        #expect(answer.first == 21)
        #expect(answer.count < 64)
    }

    @Test func `a few KeyUpdates are answered`() throws {
        let pair = try pair()
        for _ in 0..<10 {
            #expect(unsafe SSL_key_update(pair.client.ssl, SSL_KEY_UPDATE_REQUESTED) == 1)
            #expect(pair.fromClient("x").isSealed)
            pair.run()
        }
        #expect(pair.atServer.error == nil)
        #expect(pair.atServer.text == "xxxxxxxxxx")
        #expect(pair.fromServer("fine").isSealed)
        pair.run()
        #expect(pair.atClient.text == "fine")
    }

    @Test(arguments: [SSL_KEY_UPDATE_REQUESTED, SSL_KEY_UPDATE_NOT_REQUESTED])
    func `a flood of KeyUpdates in one run ends the session`(_ kind: Int32) throws {
        let pair = try pair()
        for _ in 0..<2000 {
            unsafe _ = SSL_key_update(pair.client.ssl, kind)
            unsafe _ = SSL_do_handshake(pair.client.ssl)
        }
        pair.toServer(take(pair.clientPipe))
        #expect(pair.atServer.error?.kind == .flood)
        #expect(pair.serverPipe.outputCount < 16 * 1024)
    }

    @Test func `a flood of KeyUpdates one by one ends the session`() throws {
        let pair = try pair()
        var sent = 0
        while pair.atServer.error == nil && sent < 2000 {
            unsafe _ = SSL_key_update(pair.client.ssl, SSL_KEY_UPDATE_REQUESTED)
            _ = pair.fromClient("x")
            pair.toServer(take(pair.clientPipe))
            sent += 1
        }
        #expect(pair.atServer.error?.kind == .flood)
        #expect((30...100).contains(sent))
    }

    @Test func `data refills the budget of KeyUpdates`() throws {
        let pair = try pair()
        let much = String(repeating: "y", count: ControlBudget.bytesToRefill)
        for round in 0..<200 {
            unsafe _ = SSL_key_update(pair.client.ssl, SSL_KEY_UPDATE_NOT_REQUESTED)
            _ = pair.fromClient("x")
            pair.toServer(take(pair.clientPipe))
            if round % 20 == 0 {
                _ = pair.fromServer(much)
                _ = take(pair.serverPipe)
            }
        }
        #expect(pair.atServer.error == nil)
    }

    @Test func `no early data is taken and no compression used`() throws {
        let pair = try pair()
        #expect(unsafe SSL_get_max_early_data(pair.server.ssl) == 0)
        #expect(unsafe SSL_get_recv_max_early_data(pair.server.ssl) == 0)
        #expect(unsafe SSL_get_current_compression(pair.server.ssl) == nil)
    }

    @Test func `a hello with any byte changed, or cut anywhere, establishes nothing and stops nothing`() throws {
        let source = try Pair(context, client, name: "a.test")
        source.toClient([])
        let hello = take(source.clientPipe)
        let pipe = TLSPipe()
        for index in hello.indices {
            for change in [UInt8(0x01), 0x80, 0xFF] {
                var bytes = hello
                bytes[index] ^= change
                var session = try TLSSession(accepting: context, pipe: pipe)
                var received = Pair.Received()
                feed(&session, pipe, bytes, .max, &received)
                feed(&session, pipe, Array(hello.prefix(index)), .max, &received)
                let isEstablished = session.isEstablished
                #expect(!isEstablished && received.bytes.isEmpty)
                pipe.clearOutput()
            }
        }
    }

    @Test func `a record with any byte changed is never delivered`() throws {
        for index in 0..<(5 + 5 + 1 + 16) {
            let pair = try pair()
            _ = pair.fromClient("hello")
            var bytes = take(pair.clientPipe)
            bytes[index] ^= 0x41
            pair.toServer(bytes)
            #expect(pair.atServer.bytes.isEmpty)
            #expect(pair.endAtServer().error != nil)
        }
    }

    @Test func `a record longer than allowed is refused before it has come`() throws {
        let pair = try pair()
        pair.toServer([23, 3, 3, 0x60, 0x00])
        #expect(pair.atServer.error?.kind == .handshake)
    }
}
