import COpenSSL
import Testing

@testable import SluiceTLS

/// A server that asks who the client is.
struct ClientCertificateTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        _ = try folder.certificate("seed.test")
    }

    /// A pair for a client, of the authority in `home`.
    private func clientCertificate(
        _ home: TemporaryFolder, startDays: Int = 0, days: Int = 10
    ) throws -> (certificate: String, key: String) {
        _ = try home.certificate("seed.test")
        let authority = try CertificatePair(certificate: home.authority, key: home.file("ca.key")) { _ in }
        let key = try CertificateBuilder.makeKey()
        let made = try CertificateBuilder(
            commonName: "feeds", role: .server(names: [.dns("feeds.test")]), days: days, startDays: startDays
        ).make(for: key, issuer: (authority.certificate, authority.key))
        // The same for another use: clientAuth in place of serverAuth.
        unsafe X509_EXTENSION_free(
            X509_delete_ext(made.pointer, X509_get_ext_by_NID(made.pointer, NID_ext_key_usage, -1)))
        let added = unsafe sluice_openssl_add_extension(
            made.pointer, authority.certificate.pointer, NID_ext_key_usage, "clientAuth")
        #expect(added == 1)
        #expect(unsafe X509_sign(made.pointer, authority.key.pointer, EVP_sha256()) > 0)
        let paths = (home.file("client.pem"), home.file("client.key"))
        try writeFileAtomically(paths.0, try #require(PEM.text(made)), mode: 0o644)
        try writeFileAtomically(paths.1, try #require(PEM.text(key)), mode: 0o600)
        return paths
    }

    /// A client with `certificate`, or none, at a server that requires one of the folder's authority.
    private func connect(
        _ certificate: (certificate: String, key: String)?, _ version: Int32 = TLS1_3_VERSION,
        required: Bool = true
    ) throws -> Pair {
        let server = try serverContext([folder.certificate("a.test")])
        let mode = SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0)
        unsafe SSL_CTX_set_verify(server.handle.pointer, mode, nil)
        #expect(unsafe SSL_CTX_load_verify_locations(server.handle.pointer, folder.authority, nil) == 1)
        let client = try TLSClientContext(authorities: folder.authority, alpn: [], certificate: certificate)
        let pair = try Pair(server, client, name: "a.test")
        unsafe _ = SSL_ctrl(pair.client.ssl, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil)
        return pair.run()
    }

    @Test(arguments: [TLS1_3_VERSION, TLS1_2_VERSION])
    func `a server that requires a certificate gets ours`(_ version: Int32) throws {
        let pair = try connect(clientCertificate(folder), version)
        #expect(pair.isEstablished)
        let shown = unsafe SSL_get1_peer_certificate(pair.server.ssl).map { unsafe Certificate($0) }
        #expect(shown?.dnsNames == ["feeds.test"])
        _ = pair.fromClient("hello")
        _ = pair.fromServer("data: 1\n\n")
        pair.run()
        #expect(pair.atServer.text == "hello")
        #expect(pair.atClient.text == "data: 1\n\n")
    }

    @Test func `the chain in the file is sent too`() throws {
        let leaf = try clientCertificate(folder)
        let chain = try folder.write(try folder.text("client.pem") + folder.text("ca.pem"), to: "chain.pem")
        let pair = try connect((chain, leaf.key))
        #expect(pair.isEstablished)
        // The server's side does not count the certificate itself.
        #expect(unsafe OPENSSL_sk_num(SSL_get_peer_cert_chain(pair.server.ssl)) == 1)
    }

    @Test(arguments: [TLS1_3_VERSION, TLS1_2_VERSION])
    func `without a certificate the error says that one is required`(_ version: Int32) throws {
        let pair = try connect(nil, version)
        #expect(!pair.agreed.isEstablished)
        #expect(pair.atClient.error?.kind == .clientCertificate)
        let what = "the server requires a client certificate, and none is configured"
        #expect(pair.atClient.error?.description == what)
    }

    @Test(arguments: [TLS1_3_VERSION, TLS1_2_VERSION])
    func `a certificate that the server refuses is said to be, with its reason`(_ version: Int32) throws {
        let other = try TemporaryFolder()
        for (certificate, reason) in [
            (try clientCertificate(other), "unknown ca"),
            (try clientCertificate(folder, startDays: -20, days: 10), "certificate expired"),
        ] {
            let error = try connect(certificate, version).atClient.error
            #expect(error?.kind == .clientCertificate)
            #expect(error?.what == "the server refuses the client certificate")
            #expect(error?.reason?.contains(reason) == true, "\(error?.description ?? "-")")
        }
    }

    @Test func `a server that only asks is content without`() throws {
        #expect(try connect(nil, required: false).isEstablished)
    }

    @Test func `files that cannot be used are errors that name them`() throws {
        let good = try clientCertificate(folder)
        let server = try folder.certificate("a.test")
        let garbage = try folder.write("x", to: "garbage.pem")
        for (certificate, key, file, reason) in [
            ("/nowhere/c.pem", good.key, "/nowhere/c.pem", "No such file"),
            (good.certificate, "/nowhere/c.key", "/nowhere/c.key", "No such file"),
            (garbage, good.key, garbage, "no certificate"),
            (good.certificate, garbage, garbage, "no private key"),
            (good.certificate, server.key, server.key, "is not the key of the certificate in \(good.certificate)"),
        ] {
            let error = #expect(throws: TLSError.self) {
                _ = try TLSClientContext(authorities: folder.authority, alpn: [], certificate: (certificate, key))
            }
            #expect(error?.kind == .file)
            #expect(error?.file == file)
            #expect(error?.description.contains(reason) == true, "\(error?.description ?? "-")")
        }
    }

    @Test func `an expired certificate of ours is a warning`() throws {
        var warnings: [String] = []
        let expired = try clientCertificate(folder, startDays: -20, days: 10)
        _ = try TLSClientContext(authorities: nil, alpn: [], certificate: expired) { warnings.append($0) }
        #expect(warnings.count == 1)
        #expect(warnings.first?.hasPrefix("\(expired.certificate): the certificate expired on ") == true)
    }
}
