import COpenSSL

/// A local certificate authority for development: what `tls: development` and `sluice cert` use.
///
/// A folder holds `ca.pem` and `ca.key`, and a pair for each first name, such as `localhost.pem` and `localhost.key`.
/// Keys are readable by their owner only. Who trusts `ca.pem` trusts all that it signs, so it is kept as it is: what is
/// broken about it is an error, never overwritten.
package struct DevelopmentAuthority {
    /// Where the files are.
    package typealias Paths = (certificate: String, key: String, authority: String)

    static let authorityDays = 3650
    /// Browsers refuse more than 398.
    static let serverDays = 397
    static let renewalDays = 30

    private let directory: String

    /// The pair for `names`, the first of which names the files: as it is where it is valid for 30 more days and for all
    /// of the names, else made anew; with the authority, where there is none.
    ///
    /// - Parameter names: DNS names (`*.` in front is fine) and IP addresses; empty: localhost and its addresses.
    package static func ensure(directory: String, names: [String]) throws(TLSError) -> Paths {
        try run(directory, names, reuse: true)
    }

    /// As `ensure`, but always with a new certificate and key.
    package static func issue(directory: String, names: [String]) throws(TLSError) -> Paths {
        try run(directory, names, reuse: false)
    }

    private static func run(_ directory: String, _ names: [String], reuse: Bool) throws(TLSError) -> Paths {
        Initialization.once
        var wanted: [CertificateName] = []
        for text in names.isEmpty ? ["localhost", "127.0.0.1", "::1"] : names {
            let name = try CertificateName(text)
            if !wanted.contains(name) { wanted.append(name) }
        }
        let first = wanted[0]
        try makeFolder(directory)
        // Two gateways that start at once must not mix their pairs.
        return try withFolderLocked(directory) { () throws(TLSError) -> Paths in
            let authority = DevelopmentAuthority(directory: directory)
            let issuer = try authority.authorityPair()
            let paths: Paths = (
                authority.path(first.fileName, "pem"), authority.path(first.fileName, "key"),
                authority.path("ca", "pem")
            )
            if reuse && authority.isUsable(paths, wanted, issuer.certificate) { return paths }
            let key = try CertificateBuilder.makeKey()
            let certificate = try CertificateBuilder(
                commonName: first.text, role: .server(names: wanted), days: serverDays
            ).make(for: key, issuer: issuer)
            try authority.write(certificate, key, to: (paths.certificate, paths.key))
            return paths
        }
    }

    private func path(_ name: String, _ ending: String) -> String {
        directory.hasSuffix("/") ? "\(directory)\(name).\(ending)" : "\(directory)/\(name).\(ending)"
    }

    private func authorityPair() throws(TLSError) -> (certificate: Certificate, key: PrivateKey) {
        let paths = (certificate: path("ca", "pem"), key: path("ca", "key"))
        if !fileIsMissing(paths.certificate) || !fileIsMissing(paths.key) {
            let pair = try CertificatePair(certificate: paths.certificate, key: paths.key) { _ in }
            guard unsafe X509_check_ca(pair.certificate.pointer) == 1 else {
                throw TLSError(.file, "is no certificate authority", file: paths.certificate)
            }
            // What an expired authority signs nobody accepts.
            let isFresh = pair.certificate.validity(secondsAhead: Self.renewalDays * 86_400) != .expired
            if isFresh { return (pair.certificate, pair.key) }
        }
        let key = try CertificateBuilder.makeKey()
        let certificate = try CertificateBuilder(
            commonName: "Sluice development CA (\(hostName()))", role: .authority, days: Self.authorityDays
        ).make(for: key, issuer: nil)
        try write(certificate, key, to: paths)
        return (certificate, key)
    }

    /// What is not readable is made anew: nobody but this authority gave it, or trusts it.
    private func isUsable(_ paths: Paths, _ names: [CertificateName], _ authority: Certificate) -> Bool {
        guard let pair = try? CertificatePair(certificate: paths.certificate, key: paths.key, warn: { _ in }) else {
            return false
        }
        let certificate = pair.certificate
        defer { ErrorQueue.clear() }
        let isSigned = unsafe X509_verify(certificate.pointer, X509_get0_pubkey(authority.pointer)) == 1
        return isSigned && certificate.validity() == .valid
            && certificate.validity(secondsAhead: Self.renewalDays * 86_400) == .valid
            && names.allSatisfy { $0.isNamed(in: certificate) }
    }

    private func write(
        _ certificate: Certificate, _ key: PrivateKey, to paths: (certificate: String, key: String)
    ) throws(TLSError) {
        guard let keyText = PEM.text(key), let text = PEM.text(certificate) else {
            throw TLSError(.internal, "a certificate cannot be written", reason: ErrorQueue.take())
        }
        try writeFileAtomically(paths.key, keyText, mode: 0o600)
        try writeFileAtomically(paths.certificate, text, mode: 0o644)
    }
}
