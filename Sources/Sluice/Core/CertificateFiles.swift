/// The PEM files of a certificate (with its chain) and of its private key.
public struct CertificateFiles: Sendable, Equatable {
    /// The certificate, then its intermediates.
    public var certificate: String
    /// The private key.
    public var key: String

    /// A pair of files.
    public init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}
