import COpenSSL
import Testing

@testable import SluiceTLS

/// What a client says when a server is not what it should be: a log line has nothing else to go by.
struct ClientFailureTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        _ = try folder.certificate("seed.test")
    }

    private func failure(
        _ certificate: (certificate: String, key: String), _ name: String, authorities: String? = nil
    ) throws -> TLSError {
        let client = try TLSClientContext(authorities: authorities ?? folder.authority, alpn: [])
        let pair = try Pair(serverContext([certificate]), client, name: name).run()
        #expect(!pair.isEstablished)
        return try #require(pair.atClient.error)
    }

    /// The certificate in `path`, to compare with what is said of it.
    private func read(_ path: String) throws -> Certificate {
        try #require(try PEM.certificates(try readFile(path).bytes, file: path).first)
    }

    // MARK: Certificates

    @Test func `an expired certificate is said with its date`() throws {
        let pair = try folder.oddCertificate("old.test", startDays: -20, days: 10)
        let error = try failure(pair, "old.test")
        #expect(error.kind == .certificateRefused)
        #expect(error.description == "the server's certificate expired on \(try read(pair.certificate).endText)")
    }

    @Test func `a certificate of the future is said with its date`() throws {
        let pair = try folder.oddCertificate("new.test", startDays: 5)
        let error = try failure(pair, "new.test")
        #expect(error.kind == .certificateRefused)
        let start = try read(pair.certificate).startText
        #expect(error.description == "the server's certificate is not yet valid: it starts on \(start)")
    }

    @Test func `another name is said with those that would do`() throws {
        let few = try failure(folder.certificate("a.test", "*.b.test"), "c.test")
        #expect(few.kind == .certificateRefused)
        let what = "the server's certificate is for another name than"
        #expect(few.description == "\(what) c.test: for a.test, *.b.test")
        let many = try failure(folder.certificate("1.test", "2.test", "3.test", "4.test", "5.test"), "c.test")
        #expect(many.description == "\(what) c.test: for 1.test, 2.test, 3.test and 2 more")
        let none = try failure(folder.certificate("127.0.0.1"), "127.0.0.2")
        #expect(none.description == "\(what) 127.0.0.2")
        #expect(try failure(folder.certificate("127.0.0.1"), "[::1]").description == "\(what) 0:0:0:0:0:0:0:1")
    }

    @Test func `a certificate that signs itself is said to`() throws {
        let error = try failure(folder.oddCertificate("self.test", selfSigned: true), "self.test")
        #expect(error.kind == .certificateRefused)
        #expect(error.description == "the server's certificate is self-signed, and not one that is trusted")
    }

    @Test func `an unknown authority is named, whether the server sends it or not`() throws {
        let other = try TemporaryFolder()
        let foreign = try other.certificate("a.test")
        let chain = try other.write(try other.text("a.test.pem") + other.text("ca.pem"), to: "chain.pem")
        for (certificate, reason) in [
            (foreign.certificate, "unable to get local issuer certificate"), (chain, "self-signed certificate in"),
        ] {
            let error = try failure((certificate, foreign.key), "a.test")
            #expect(error.kind == .certificateRefused)
            let what = "the server's certificate is of an authority that is not trusted (/O=Sluice development/CN="
            #expect(error.description.hasPrefix(what), "\(error)")
            #expect(error.reason?.contains(reason) == true, "\(error)")
        }
    }

    @Test func `names of a hostile certificate cannot write log lines of their own`() throws {
        let key = try CertificateBuilder.makeKey()
        let authority = try CertificatePair(certificate: folder.authority, key: folder.file("ca.key")) { _ in }
        let evil = "a\nfeed \"x\" is fine\u{1B}[2J"
        let builder = CertificateBuilder(commonName: evil, role: .server(names: [.dns("b\nc\u{1B}d")]), days: 10)
        let issuer = try CertificateBuilder(commonName: "\(evil) CA", role: .authority, days: 10).make(
            for: key, issuer: nil)
        let keyPath = folder.file("evil.key")
        try writeFileAtomically(keyPath, try #require(PEM.text(key)), mode: 0o600)
        for (issuer, word) in [
            ((authority.certificate, authority.key), "another name"), ((issuer, key), "authority that is not trusted"),
        ] {
            let made = try builder.make(for: key, issuer: issuer)
            try writeFileAtomically(folder.file("evil.pem"), try #require(PEM.text(made)), mode: 0o644)
            let error = try failure((folder.file("evil.pem"), keyPath), "a.test")
            #expect(error.description.contains(word), "\(error)")
            #expect(error.description.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }, "\(error)")
        }
    }

    // MARK: No TLS, and too little of it

    private func client() throws -> Pair {
        let context = try TLSClientContext(authorities: folder.authority, alpn: [])
        let pair = try Pair(serverContext([folder.certificate("a.test")]), context, name: "a.test")
        pair.toClient([])
        return pair
    }

    @Test(arguments: [
        ("HTTP/1.1 400 Bad Request\r\n\r\n", "the server answers in plain HTTP, not TLS"),
        ("SSH-2.0-OpenSSH_9.2\r\n", "the server does not speak TLS"),
        ("data: hello\n\n", "the server does not speak TLS"),
        ("\0\0\0\0\0\0\0\0", "the server does not speak TLS"),
        ("\u{16}\u{16}\u{16}\u{16}\u{16}\u{16}", "the server does not speak TLS"),
    ])
    func `what is no TLS is said to be none, however it comes`(_ text: String, _ what: String) throws {
        for step in [Int.max, 1] {
            let pair = try client()
            pair.toClient(Array(text.utf8), step)
            #expect(pair.atClient.error?.kind == .notTLS)
            #expect(pair.atClient.error?.description == what)
        }
        let short = try client()
        short.toClient(Array(text.utf8.prefix(2)))
        #expect(short.endAtClient().error?.kind == .notTLS)
    }

    @Test func `an alert of the server is told in its words`() throws {
        let pair = try client()
        pair.toClient([21, 3, 3, 0, 2, 2, 112])
        #expect(pair.atClient.error?.kind == .handshake)
        #expect(pair.atClient.error?.description.hasPrefix("the server ended the TLS session with an alert: ") == true)
        #expect(pair.atClient.error?.reason?.contains("unrecognized name") == true)
    }

    @Test func `the end of a handshake in its middle is a truncation, wherever it is`() throws {
        // The length of a flight differs with its signature.
        for cut in [{ _ in 0 }, { _ in 1 }, { _ in 4 }, { _ in 5 }, { $0 / 2 }, { $0 - 1 }] as [(Int) -> Int] {
            let pair = try client()
            pair.toServer(take(pair.clientPipe))
            let flight = take(pair.serverPipe)
            pair.toClient(Array(flight.prefix(cut(flight.count))))
            #expect(pair.atClient.error == nil)
            let error = pair.endAtClient().error
            #expect(error?.kind == .truncated)
            #expect(error?.description == "the connection ended during the TLS handshake")
        }
    }

    @Test func `an end without close_notify is a truncation, with it is none`() throws {
        let cut = try client().run()
        _ = cut.fromServer("data: half")
        cut.run()
        #expect(cut.atClient.text == "data: half")
        #expect(cut.endAtClient().error?.kind == .truncated)
        #expect(cut.endAtClient().error?.description.contains("without close_notify") == true)
        let closed = try client().run()
        closed.server.close(pipe: closed.serverPipe)
        closed.run()
        #expect(closed.atClient.isClosed)
        #expect(closed.endAtClient().isClosed)
    }

    @Test func `a handshake with any byte changed is refused in words, and stops nothing`() throws {
        let source = try client()
        source.toServer(take(source.clientPipe))
        for index in take(source.serverPipe).indices {
            let pair = try client()
            pair.toServer(take(pair.clientPipe))
            var bytes = take(pair.serverPipe)
            guard index < bytes.count else { continue }
            bytes[index] ^= 0x55
            pair.toClient(bytes)
            let error = pair.endAtClient().error
            #expect(error != nil, "byte \(index)")
            #expect(error?.kind != .certificateRefused)
        }
    }
}
