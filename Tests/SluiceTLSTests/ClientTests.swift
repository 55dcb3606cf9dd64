import COpenSSL
import Testing

@testable import SluiceTLS

/// Whom a client trusts.
struct ClientTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        _ = try folder.certificate("seed.test")
    }

    private func connect(
        _ certificate: (certificate: String, key: String), _ name: String, authorities: String?? = .none
    ) throws -> Pair {
        let client = try TLSClientContext(authorities: authorities ?? folder.authority, alpn: [])
        return try Pair(serverContext([certificate]), client, name: name).run()
    }

    @Test(arguments: [
        "a.test", "A.TEST", "a.test.", "127.0.0.1", "[::1]", "::1", "0:0:0:0:0:0:0:1", "x.wild.test",
    ])
    func `a certificate for the name is accepted`(_ name: String) throws {
        let pair = try connect(folder.certificate("a.test", "127.0.0.1", "::1", "*.wild.test"), name)
        #expect(pair.isEstablished)
        #expect(pair.atClient.error == nil)
    }

    @Test(arguments: [
        "b.test", "127.0.0.2", "[::2]", "wild.test", "x.y.wild.test", "a.test.evil", "est",
    ])
    func `a certificate for another name is refused`(_ name: String) throws {
        let pair = try connect(folder.certificate("a.test", "127.0.0.1", "::1", "*.wild.test"), name)
        #expect(pair.atClient.error?.kind == .certificateRefused)
        #expect(pair.atClient.error?.what.contains("is for another name than ") == true)
        #expect(!pair.agreed.isEstablished)
        #expect(pair.atServer.error?.kind == .handshake)
    }

    @Test func `the common name does not count`() throws {
        let key = try CertificateBuilder.makeKey()
        let authority = try CertificatePair(certificate: folder.authority, key: folder.file("ca.key")) { _ in }
        let certificate = try CertificateBuilder(
            commonName: "cn.test", role: .server(names: [.address("127.0.0.1")]), days: 10
        ).make(for: key, issuer: (authority.certificate, authority.key))
        try writeFileAtomically(folder.file("cn.pem"), try #require(PEM.text(certificate)), mode: 0o644)
        try writeFileAtomically(folder.file("cn.key"), try #require(PEM.text(key)), mode: 0o600)
        let pair = try connect((folder.file("cn.pem"), folder.file("cn.key")), "cn.test")
        #expect(pair.atClient.error?.kind == .certificateRefused)
    }

    @Test func `the system's authorities do not know the development authority`() throws {
        let pair = try connect(folder.certificate("a.test"), "a.test", authorities: .some(nil))
        #expect(pair.atClient.error?.kind == .certificateRefused)
    }

    @Test func `an address is not sent as SNI, a name is`() throws {
        let certificate = try folder.certificate("a.test", "127.0.0.1")
        #expect(try connect(certificate, "127.0.0.1").agreed.serverName == nil)
        #expect(try connect(certificate, "A.test.").agreed.serverName == "a.test")
    }

    @Test(arguments: [
        "", ".", "a.test\0.evil", "a b", "a/b", "a:80", "ä.test", "[a.test", "*.test", "a@b.test",
        String(repeating: "a", count: 300),
    ])
    func `what is no name is refused before anything is sent`(_ name: String) throws {
        let client = try TLSClientContext(authorities: folder.authority, alpn: [])
        let error = #expect(throws: TLSError.self) {
            _ = try Pair(serverContext([folder.certificate("a.test")]), client, name: name)
        }
        #expect(error?.kind == .misuse)
    }

    @Test func `authorities that cannot be read are errors that name the file`() throws {
        for (file, reason) in [
            ("/nowhere/ca.pem", "No such file"), (try folder.write("", to: "empty.pem"), "is empty"),
            (try folder.write("x", to: "garbage.pem"), "no certificate"),
        ] {
            let error = #expect(throws: TLSError.self) { _ = try TLSClientContext(authorities: file, alpn: []) }
            #expect(error?.file == file)
            #expect(error?.description.contains(reason) == true)
        }
    }
}
