import COpenSSL
import Testing

@testable import SluiceTLS

/// Resumption by tickets, on both protocol versions.
struct TicketTests {
    let folder: TemporaryFolder
    let client: TLSClientContext
    let certificate: (certificate: String, key: String)

    init() throws {
        folder = try TemporaryFolder()
        certificate = try folder.certificate("a.test")
        client = try TLSClientContext(authorities: folder.authority, alpn: [])
    }

    private func connect(_ context: TLSServerContext, _ version: Int32, resuming earlier: Pair? = nil) throws -> Pair {
        let pair = try Pair(context, client, name: "a.test")
        unsafe _ = SSL_ctrl(pair.client.ssl, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil)
        if let earlier { resume(pair, as: earlier) }
        pair.run()
        try #require(pair.isEstablished)
        return pair
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `a ticket is good in another worker's context`(_ version: Int32) throws {
        let keys = TLSTicketKeys()
        let first = try connect(try serverContext([certificate], keys: keys), version)
        #expect(!first.agreed.isResumed)
        let second = try connect(try serverContext([certificate], keys: keys), version, resuming: first)
        #expect(second.agreed.isResumed)
        #expect(second.agreedByClient.isResumed)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `a ticket outlives one rotation and not the second`(_ version: Int32) throws {
        let keys = TLSTicketKeys()
        let context = try serverContext([certificate], keys: keys)
        let first = try connect(context, version)
        keys.rotate()
        #expect(try connect(context, version, resuming: first).agreed.isResumed)
        keys.rotate()
        #expect(try !connect(context, version, resuming: first).agreed.isResumed)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `a resumption after a rotation gives a ticket of the new key`(_ version: Int32) throws {
        let keys = TLSTicketKeys()
        let context = try serverContext([certificate], keys: keys)
        let first = try connect(context, version)
        keys.rotate()
        let second = try connect(context, version, resuming: first)
        keys.rotate()
        #expect(try connect(context, version, resuming: second).agreed.isResumed)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `a ticket of other keys leads to a full handshake`(_ version: Int32) throws {
        let first = try connect(try serverContext([certificate]), version)
        let second = try connect(try serverContext([certificate]), version, resuming: first)
        #expect(!second.agreed.isResumed)
    }

    @Test func `a full handshake gives two tickets at most`() throws {
        let context = try serverContext([certificate])
        #expect((1...2).contains(unsafe SSL_CTX_get_num_tickets(context.handle.pointer)))
    }
}
