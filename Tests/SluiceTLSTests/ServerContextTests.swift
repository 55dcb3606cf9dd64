import COpenSSL
import Foundation
import Testing

@testable import SluiceTLS

struct ServerContextTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// The first alternative name of the certificate that a client asking for `name` is shown.
    private func shown(_ context: TLSServerContext, _ name: String) throws -> String? {
        let client = try TLSClientContext(authorities: folder.authority, alpn: [])
        let pair = try Pair(context, client, name: name)
        unsafe SSL_set_verify(pair.client.ssl, SSL_VERIFY_NONE, nil)
        pair.run()
        guard let pointer = unsafe SSL_get1_peer_certificate(pair.client.ssl) else { return nil }
        return unsafe Certificate(pointer).dnsNames.first
    }

    @Test(arguments: [
        ("first.test", "first.test"), ("second.test", "second.test"), ("SECOND.Test", "second.test"),
        ("a.wild.test", "*.wild.test"), ("own.wild.test", "own.wild.test"), ("a.b.wild.test", "first.test"),
        ("wild.test", "first.test"), ("unknown.test", "first.test"), ("127.0.0.1", "first.test"),
        ("third.test", "second.test"),
    ])
    func `a certificate is chosen by SNI`(_ name: String, _ expected: String) throws {
        let context = try serverContext([
            folder.certificate("first.test"), folder.certificate("second.test", "third.test"),
            folder.certificate("*.wild.test"), folder.certificate("own.wild.test"),
        ])
        #expect(try shown(context, name) == expected)
    }

    @Test func `of two certificates for a name the earlier is shown`() throws {
        let context = try serverContext([
            folder.certificate("first.test", "both.test"), folder.certificate("second.test", "both.test"),
        ])
        #expect(try shown(context, "both.test") == "first.test")
    }

    @Test func `ALPN and resumption work for every certificate, not the first alone`() throws {
        let context = try serverContext(
            [folder.certificate("first.test"), folder.certificate("second.test")], alpn: ["h2"])
        let client = try TLSClientContext(authorities: folder.authority, alpn: ["h2"])
        let pair = try Pair(context, client, name: "second.test").run()
        #expect(pair.agreed.alpn == "h2")
        let again = try Pair(context, client, name: "second.test")
        resume(again, as: pair)
        #expect(again.run().agreed.isResumed)
        #expect(again.agreed.serverName == "second.test")
    }

    @Test func `RSA and EC certificates for the same names are offered together`() throws {
        let rsa = try opensslPair("both.test", "rsa:2048")
        let context = try serverContext([folder.certificate("both.test"), rsa])
        let client = try TLSClientContext(authorities: folder.authority, alpn: [])
        let cases = [
            ("ECDHE-RSA-AES128-GCM-SHA256", NID_rsaEncryption),
            ("ECDHE-ECDSA-AES128-GCM-SHA256", NID_X9_62_id_ecPublicKey),
        ]
        for (suite, expected) in cases {
            let pair = try Pair(context, client, name: "both.test")
            unsafe SSL_set_verify(pair.client.ssl, SSL_VERIFY_NONE, nil)
            unsafe _ = SSL_ctrl(pair.client.ssl, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(TLS1_2_VERSION), nil)
            unsafe _ = SSL_set_cipher_list(pair.client.ssl, suite)
            pair.run()
            let shown = unsafe SSL_get0_peer_certificate(pair.client.ssl)
            #expect(unsafe EVP_PKEY_get_base_id(X509_get0_pubkey(shown)) == expected)
        }
    }

    @Test func `a chain is sent whole`() throws {
        let leaf = try folder.certificate("a.test")
        let chain = try folder.write(try folder.text("a.test.pem") + folder.text("ca.pem"), to: "chain.pem")
        let context = try serverContext([(chain, leaf.key)])
        let client = try TLSClientContext(authorities: folder.authority, alpn: [])
        let pair = try Pair(context, client, name: "a.test").run()
        #expect(pair.isEstablished)
        #expect(unsafe OPENSSL_sk_num(SSL_get_peer_cert_chain(pair.client.ssl)) == 2)
    }

    // MARK: Files

    @Test func `errors name the file and the reason`() throws {
        let good = try folder.certificate("a.test")
        let other = try folder.certificate("b.test")
        let empty = try folder.write("", to: "empty.pem")
        let garbage = try folder.write("not PEM at all\n", to: "garbage.pem")
        let broken = try folder.write(
            "-----BEGIN CERTIFICATE-----\nAAAAaaaa\n-----END CERTIFICATE-----\n", to: "broken.pem")
        let cut = try folder.write(String(try folder.text("a.test.pem").prefix(200)), to: "cut.pem")
        let tail = try folder.write(
            try folder.text("a.test.pem") + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            to: "tail.pem")
        let cases: [((certificate: String, key: String), String, String)] = [
            ((good.certificate, other.key), "b.test.key", "is not the key"),
            (("/nowhere/x.pem", good.key), "/nowhere/x.pem", "No such file"),
            ((good.certificate, folder.file("none.key")), "none.key", "No such file"),
            ((empty, good.key), "empty.pem", "is empty"), ((good.certificate, empty), "empty.pem", "is empty"),
            ((garbage, good.key), "garbage.pem", "no certificate"),
            ((good.certificate, garbage), "garbage.pem", "no private key"),
            ((broken, good.key), "broken.pem", "broken certificate"),
            ((cut, good.key), "cut.pem", "broken certificate"),
            ((tail, good.key), "tail.pem", "broken certificate"),
            ((good.key, good.certificate), "a.test.key", "no certificate"),
            ((folder.path, good.key), folder.path, "is not a file"),
        ]
        for (pair, file, reason) in cases {
            let error = #expect(throws: TLSError.self) { _ = try serverContext([pair]) }
            #expect(error?.kind == .file)
            #expect(error?.file?.hasSuffix(file) == true, "\(file): \(error?.description ?? "-")")
            #expect(error?.description.contains(reason) == true, "\(reason): \(error?.description ?? "-")")
        }
    }

    @Test func `an encrypted key is refused, not asked a passphrase for`() throws {
        let good = try folder.certificate("a.test")
        try run(["pkcs8", "-topk8", "-in", good.key, "-out", folder.file("locked.key"), "-passout", "pass:secret"])
        let error = #expect(throws: TLSError.self) {
            _ = try serverContext([(good.certificate, folder.file("locked.key"))])
        }
        #expect(error?.description.contains("encrypted") == true)
    }

    @Test func `a weak key is refused`() throws {
        let weak = try opensslPair("weak.test", "rsa:1024")
        let error = #expect(throws: TLSError.self) { _ = try serverContext([weak]) }
        #expect(error?.file == weak.certificate)
        #expect(error?.reason?.contains("too small") == true)
    }

    @Test func `no certificate and bad protocol names are errors`() throws {
        let good = try folder.certificate("a.test")
        #expect(throws: TLSError.self) { _ = try serverContext([]) }
        #expect(throws: TLSError.self) { _ = try serverContext([good], alpn: [""]) }
        #expect(throws: TLSError.self) { _ = try serverContext([good], alpn: [String(repeating: "x", count: 256)]) }
    }

    @Test func `an expired and a future certificate are used with a warning`() throws {
        var warnings: [String] = []
        let old = try folder.oddCertificate("old.test", startDays: -20, days: 10)
        let future = try folder.oddCertificate("future.test", startDays: 5)
        let good = try folder.certificate("good.test")
        _ = try TLSServerContext(
            certificates: [old, future, good], alpn: [], minimumVersion: .v12, ticketKeys: TLSTicketKeys(),
            warn: { warnings.append($0) })
        #expect(warnings.count == 2)
        #expect(warnings.first?.contains("odd-old.test.pem: the certificate expired on ") == true)
        #expect(warnings.last?.contains("odd-future.test.pem: the certificate is not valid before ") == true)
    }

    @Test func `changed, replaced and missing files are seen, untouched ones are not`() throws {
        let pair = try folder.certificate("a.test")
        let context = try serverContext([pair])
        #expect(!context.filesChanged)
        _ = try DevelopmentAuthority.issue(directory: folder.path, names: ["a.test"])
        #expect(context.filesChanged)
        let second = try serverContext([pair])
        #expect(!second.filesChanged)
        _ = try folder.write(try folder.text("a.test.key") + "\n", to: "a.test.key")
        #expect(second.filesChanged)
        let same = try serverContext([pair])
        try writeFileAtomically(pair.certificate, Array(try folder.text("a.test.pem").utf8), mode: 0o644)
        #expect(same.filesChanged)
        let third = try serverContext([pair])
        try FileManager.default.removeItem(atPath: pair.certificate)
        #expect(third.filesChanged)
    }

    @Test func `a session goes on after its context is gone`() throws {
        var context: TLSServerContext? = try serverContext(
            [folder.certificate("first.test"), folder.certificate("a.test")], alpn: ["h2"])
        let client = try TLSClientContext(authorities: folder.authority, alpn: ["h2"])
        weak let gone = context
        let pair = try Pair(try #require(context), client, name: "a.test")
        context = nil
        #expect(gone == nil)
        #expect(pair.run().agreed.alpn == "h2")
        #expect(pair.isEstablished)
    }

    @Test func `a context and its tables are freed`() throws {
        var keys: TLSTicketKeys? = TLSTicketKeys()
        weak let gone = keys
        do {
            _ = try serverContext(
                [folder.certificate("a.test"), folder.certificate("b.test")], keys: try #require(keys))
        }
        keys = nil
        #expect(gone == nil)
    }

    // MARK: Made by the openssl program

    private func run(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    private func opensslPair(_ name: String, _ key: String) throws -> (certificate: String, key: String) {
        let paths = (folder.file("made-\(name).pem"), folder.file("made-\(name).key"))
        try run([
            "req", "-x509", "-newkey", key, "-nodes", "-keyout", paths.1, "-out", paths.0, "-subj", "/CN=\(name)",
            "-addext", "subjectAltName=DNS:\(name)", "-days", "30",
        ])
        return paths
    }
}

/// Offers what `earlier` was given, in a new connection.
func resume(_ pair: Pair, as earlier: Pair) {
    let session = unsafe SSL_get1_session(earlier.client.ssl)
    unsafe _ = SSL_set_session(pair.client.ssl, session)
    unsafe SSL_SESSION_free(session)
}
