import COpenSSL
import Foundation
import Testing

@testable import SluiceTLS

struct DevelopmentAuthorityTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func certificate(_ name: String) throws -> Certificate {
        try #require(try PEM.certificates(readFile(folder.file(name)).bytes, file: name).first)
    }

    @Test func `an authority and a pair are made, keys for their owner only`() throws {
        let inner = folder.file("deep/er")
        let paths = try DevelopmentAuthority.ensure(directory: inner, names: ["localhost", "127.0.0.1", "::1"])
        #expect(paths.certificate == "\(inner)/localhost.pem")
        #expect(paths.key == "\(inner)/localhost.key")
        #expect(paths.authority == "\(inner)/ca.pem")
        #expect(try folder.mode("deep/er/localhost.key") == 0o600)
        #expect(try folder.mode("deep/er/ca.key") == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: inner).count == 4)
    }

    @Test func `the certificates are what browsers want`() throws {
        _ = try folder.certificate("a.test", "*.a.test", "10.0.0.1")
        let leaf = try certificate("a.test.pem")
        let authority = try certificate("ca.pem")
        #expect(leaf.alternativeNames == ["a.test", "*.a.test"])
        #expect(unsafe X509_check_ip_asc(leaf.pointer, "10.0.0.1", 0) == 1)
        #expect(unsafe X509_check_ca(authority.pointer) == 1)
        #expect(unsafe X509_check_ca(leaf.pointer) == 0)
        #expect(unsafe X509_get_extended_key_usage(leaf.pointer) == UInt32(XKU_SSL_SERVER))
        #expect(unsafe X509_get_key_usage(authority.pointer) & UInt32(KU_KEY_CERT_SIGN) != 0)
        #expect(unsafe X509_check_purpose(leaf.pointer, X509_PURPOSE_SSL_SERVER, 0) == 1)
        let day = 86_400
        #expect(leaf.validity(secondsAhead: 395 * day) == .valid)
        #expect(leaf.validity(secondsAhead: 397 * day) == .expired)
        #expect(authority.validity(secondsAhead: 3600 * day) == .valid)
        #expect(leaf.validity() == .valid)
    }

    @Test func `the authority is named for this machine`() throws {
        _ = try folder.certificate("a.test")
        let authority = try certificate("ca.pem")
        #expect(authority.dnsNames == ["sluice development ca (\(hostName().lowercased()))"])
    }

    @Test func `what is valid and covers the names is kept`() throws {
        _ = try folder.certificate("a.test", "b.test", "127.0.0.1")
        let before = (try folder.text("a.test.pem"), try folder.text("ca.pem"))
        _ = try folder.certificate("a.test")
        _ = try folder.certificate("A.TEST", "127.0.0.1")
        #expect(try folder.text("a.test.pem") == before.0)
        _ = try folder.certificate("a.test", "c.test")
        #expect(try folder.text("a.test.pem") != before.0)
        #expect(try folder.text("ca.pem") == before.1)
    }

    @Test func `a missing address, too, makes a new certificate`() throws {
        _ = try folder.certificate("a.test", "127.0.0.1")
        let before = try folder.text("a.test.pem")
        _ = try folder.certificate("a.test", "127.0.0.2")
        #expect(try folder.text("a.test.pem") != before)
    }

    @Test func `issue makes a new pair and keeps the authority`() throws {
        _ = try folder.certificate("a.test")
        let before = (try folder.text("a.test.pem"), try folder.text("a.test.key"), try folder.text("ca.pem"))
        _ = try DevelopmentAuthority.issue(directory: folder.path, names: ["a.test"])
        #expect(try folder.text("a.test.pem") != before.0)
        #expect(try folder.text("a.test.key") != before.1)
        #expect(try folder.text("ca.pem") == before.2)
    }

    @Test(arguments: [(29, true), (32, false)])
    func `what ends within thirty days is renewed`(_ days: Int, _ renewed: Bool) throws {
        _ = try folder.certificate("a.test")
        let odd = try folder.oddCertificate("a.test", days: days)
        try FileManager.default.removeItem(atPath: folder.file("a.test.pem"))
        try FileManager.default.removeItem(atPath: folder.file("a.test.key"))
        try FileManager.default.moveItem(atPath: odd.certificate, toPath: folder.file("a.test.pem"))
        try FileManager.default.moveItem(atPath: odd.key, toPath: folder.file("a.test.key"))
        let before = try folder.text("a.test.pem")
        _ = try folder.certificate("a.test")
        #expect(try (folder.text("a.test.pem") != before) == renewed)
    }

    @Test func `a pair of another authority, a wrong key and garbage are made anew`() throws {
        let other = try TemporaryFolder()
        _ = try other.certificate("a.test")
        _ = try folder.certificate("a.test")
        _ = try folder.write(other.text("a.test.key"), to: "a.test.key")
        _ = try folder.certificate("a.test")
        #expect(try serverContext([(folder.file("a.test.pem"), folder.file("a.test.key"))]).filesChanged == false)
        _ = try folder.write(other.text("a.test.pem"), to: "a.test.pem")
        _ = try folder.write(other.text("a.test.key"), to: "a.test.key")
        _ = try folder.certificate("a.test")
        #expect(try folder.text("a.test.pem") != other.text("a.test.pem"))
        _ = try folder.write("rubbish", to: "a.test.pem")
        _ = try folder.certificate("a.test")
        #expect(try folder.text("a.test.pem").contains("BEGIN CERTIFICATE"))
        #expect(try folder.mode("a.test.key") == 0o600)
    }

    @Test func `a broken authority is an error and stays as it is`() throws {
        _ = try folder.certificate("a.test")
        let key = try folder.text("ca.key")
        _ = try folder.write("rubbish", to: "ca.pem")
        let error = #expect(throws: TLSError.self) { _ = try folder.certificate("a.test") }
        #expect(error?.file == folder.authority)
        #expect(try folder.text("ca.pem") == "rubbish")
        #expect(try folder.text("ca.key") == key)
        try FileManager.default.removeItem(atPath: folder.authority)
        #expect(throws: TLSError.self) { _ = try folder.certificate("a.test") }
    }

    @Test func `a certificate that is no authority cannot stand for one`() throws {
        let pair = try folder.certificate("a.test")
        _ = try folder.write(folder.text("a.test.pem"), to: "ca.pem")
        _ = try folder.write(String(contentsOfFile: pair.key, encoding: .utf8), to: "ca.key")
        let error = #expect(throws: TLSError.self) { _ = try folder.certificate("b.test") }
        #expect(error?.description.contains("no certificate authority") == true)
    }

    @Test(arguments: [
        "", "a b", "a,DNS:evil.test", "../x", "a/b", "-a.test", "a..b", "*", "a.*.test", "ä.test", "a.test\n",
        String(repeating: "a", count: 64),
    ])
    func `what is no name gets no certificate`(_ name: String) throws {
        let error = #expect(throws: TLSError.self) { _ = try folder.certificate(name) }
        #expect(error?.kind == .misuse)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test func `names that are no plain file names are written as plain ones`() throws {
        #expect(try folder.certificate("*.a.test").certificate == folder.file("_wildcard.a.test.pem"))
        #expect(try folder.certificate("::1").certificate == folder.file("__1.pem"))
        #expect(try folder.certificate("ca").certificate == folder.file("_ca.pem"))
        #expect(try folder.certificate().certificate == folder.file("localhost.pem"))
    }

    @Test func `a folder that cannot be made is an error that names it`() throws {
        _ = try folder.write("x", to: "file")
        let error = #expect(throws: TLSError.self) {
            _ = try DevelopmentAuthority.ensure(directory: folder.file("file/below"), names: ["a.test"])
        }
        #expect(error?.file?.hasPrefix(folder.file("file")) == true)
    }

    @Test func `many at once agree on one authority and matching pairs`() async throws {
        let path = folder.path
        try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<8 {
                group.addTask {
                    let paths = try DevelopmentAuthority.ensure(directory: path, names: ["n\(number % 3).test"])
                    let pair = try CertificatePair(certificate: paths.certificate, key: paths.key) { _ in }
                    return pair.file
                }
            }
            for try await file in group { #expect(file.hasPrefix(path)) }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).count == 8)
    }
}
