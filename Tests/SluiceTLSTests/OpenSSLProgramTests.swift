import Foundation
import Synchronization
import Testing

@testable import SluiceTLS

/// Against another implementation of the client's side: the openssl program over TCP.
@Suite(.timeLimit(.minutes(1)))
struct OpenSSLProgramTests {
    let folder: TemporaryFolder
    let server: LoopbackServer

    init() throws {
        folder = try TemporaryFolder()
        let context = try serverContext(
            [folder.certificate("first.test"), folder.certificate("second.test")], alpn: ["h2", "http/1.1"])
        server = try LoopbackServer(context)
    }

    /// What `openssl s_client` prints when it is given `input` and then the end of it.
    private func client(_ arguments: [String], input: String = "hello\n") throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments =
            ["s_client", "-connect", "127.0.0.1:\(server.port)", "-CAfile", folder.authority, "-verify_return_error"]
            + arguments
        let (sent, received) = (Pipe(), Pipe())
        process.standardInput = sent
        process.standardOutput = received
        process.standardError = received
        try process.run()
        // With nothing to say it leaves after the handshake, whatever became of that.
        if input.isEmpty {
            try sent.fileHandleForWriting.close()
        } else {
            try sent.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        }
        var output = Data()
        // The answer comes before the end of the input, at which the client leaves without waiting.
        while true {
            let more = received.fileHandleForReading.availableData
            if more.isEmpty { break }
            output += more
            if String(decoding: output, as: UTF8.self).contains(" hello\n") {
                try? sent.fileHandleForWriting.close()
            }
        }
        process.waitUntilExit()
        return String(decoding: output, as: UTF8.self)
    }

    @Test func `it agrees on 1.3 by SNI and ALPN, and leaves cleanly`() throws {
        let output = try client(["-servername", "second.test", "-alpn", "http/1.1", "-verify_hostname", "second.test"])
        server.stop()
        #expect(output.contains("TLSv1.3 http/1.1 second.test false hello\n"))
        #expect(output.contains("Verify return code: 0 (ok)"))
        #expect(server.ends.withLock { $0 } == ["closed"])
    }

    @Test func `it agrees on 1.2 with the first suite of the list`() throws {
        let output = try client(["-tls1_2", "-servername", "nobody.test", "-verify_hostname", "first.test"])
        server.stop()
        #expect(output.contains("TLSv1.2 - nobody.test false hello\n"))
        #expect(output.contains("Cipher is ECDHE-ECDSA-AES128-GCM-SHA256"))
        #expect(output.contains("Compression: NONE"))
        #expect(output.contains("Secure Renegotiation IS supported"))
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func `it resumes with a ticket kept in a file`(_ version: String) throws {
        let file = folder.file("session")
        _ = try client([version, "-servername", "second.test", "-sess_out", file])
        let output = try client([version, "-servername", "second.test", "-sess_in", file])
        server.stop()
        #expect(output.contains("second.test true hello\n"))
        #expect(output.contains("Reused, TLSv1."))
    }

    @Test(arguments: [
        (["-tls1"], "alert protocol version"), (["-tls1_1"], "alert protocol version"),
        (["-alpn", "spdy/1"], "alert number 120"),
        (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"], "handshake failure"),
        (["-tls1_3", "-groups", "ffdhe2048"], "handshake failure"),
    ])
    func `what is too weak or unknown is refused`(_ arguments: [String], _ alert: String) throws {
        let output = try client(["-cipher", "ALL:@SECLEVEL=0"] + arguments, input: "")
        server.stop()
        #expect(output.contains(alert), "\(output)")
        #expect(server.ends.withLock { $0 } == ["handshake"])
    }

    @Test func `its renegotiation on 1.2 is refused`() throws {
        let output = try client(["-tls1_2", "-servername", "first.test"], input: "R\n")
        server.stop()
        #expect(output.contains("RENEGOTIATING"))
        #expect(output.contains("no renegotiation"))
    }
}
