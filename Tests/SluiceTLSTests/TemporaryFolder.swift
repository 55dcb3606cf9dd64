import Foundation
import Testing

@testable import SluiceTLS

/// A folder of its own for each test, gone afterwards. Certificates are made here and nowhere else.
final class TemporaryFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "sluice-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: URL(filePath: file(name)))
        return file(name)
    }

    func text(_ name: String) throws -> String {
        try String(contentsOfFile: file(name), encoding: .utf8)
    }

    func mode(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: file(name))[.posixPermissions] as? Int
    }

    /// A pair for `names` of the folder's own authority.
    func certificate(_ names: String...) throws -> (certificate: String, key: String) {
        let paths = try DevelopmentAuthority.ensure(directory: path, names: names)
        return (paths.certificate, paths.key)
    }

    var authority: String { file("ca.pem") }

    /// A pair valid at another time than now, or signed by itself.
    func oddCertificate(
        _ name: String, startDays: Int = 0, days: Int = 90, selfSigned: Bool = false
    ) throws -> (certificate: String, key: String) {
        _ = try certificate("seed.test")
        let authority = try CertificatePair(certificate: authority, key: file("ca.key")) { _ in }
        let key = try CertificateBuilder.makeKey()
        let builder = CertificateBuilder(
            commonName: name, role: .server(names: [try CertificateName(name)]), days: days, startDays: startDays)
        let made = try builder.make(
            for: key, issuer: selfSigned ? nil : (authority.certificate, authority.key))
        let paths = (file("odd-\(name).pem"), file("odd-\(name).key"))
        try writeFileAtomically(paths.0, try #require(PEM.text(made)), mode: 0o644)
        try writeFileAtomically(paths.1, try #require(PEM.text(key)), mode: 0o600)
        return paths
    }
}

func serverContext(
    _ certificates: [(certificate: String, key: String)], alpn: [String] = [], minimum: TLSVersion = .v12,
    keys: TLSTicketKeys = TLSTicketKeys()
) throws -> TLSServerContext {
    try TLSServerContext(
        certificates: certificates, alpn: alpn, minimumVersion: minimum, ticketKeys: keys, warn: { _ in })
}
