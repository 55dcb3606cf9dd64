internal import SluiceTLS

/// Whom a client of event streams trusts and how it shows itself. Contexts are made when the first one is needed: a
/// redirect may lead from http to https.
final class StreamTrust {
    private let authorities: String?
    private let client: CertificateFiles?
    private var known: TLSClientContext?
    private var foreign: TLSClientContext?
    private var forgottenAt: UInt64?

    /// - Parameters:
    ///   - authorities: a PEM file; `nil`: the system's.
    ///   - client: the certificate that is shown to the origin that it is for, and to no other.
    init(authorities: String? = nil, client: CertificateFiles? = nil) {
        self.authorities = authorities
        self.client = client
    }

    /// After a failure: the files are read again, they may have been renewed. At most once a second: thousands may share
    /// this, and all fail at once.
    /// - Parameter now: milliseconds.
    func forget(at now: UInt64) {
        if let forgottenAt, now < forgottenAt &+ 1000 { return }
        forgottenAt = now
        known = nil
        foreign = nil
    }

    func context(isForeign: Bool) throws(TLSError) -> TLSClientContext {
        let isBare = isForeign || client == nil
        if let made = isBare ? foreign : known { return made }
        let certificate = isBare ? nil : client.map { ($0.certificate, $0.key) }
        let made = try TLSClientContext(authorities: authorities, alpn: ["http/1.1"], certificate: certificate)
        if isBare { foreign = made } else { known = made }
        return made
    }
}
