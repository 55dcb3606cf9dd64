internal import SluiceTLS

/// The files of a local authority and of its certificate, for development.
package struct DevelopmentFiles: Sendable {
    /// What a certificate is made for when nothing else is asked for.
    package static let standardNames = ["localhost", "127.0.0.1", "::1"]

    /// PEM files: the certificate, its private key, and the authority's certificate.
    package let certificate: String
    package let key: String
    package let authority: String

    /// Makes what is missing, has expired or does not have all the names.
    /// - Throws: `SluiceError` that says which file is in the way.
    package init(directory: String, names: [String]) throws {
        do {
            let made = try DevelopmentAuthority.ensure(directory: directory, names: names)
            (certificate, key, authority) = (made.certificate, made.key, made.authority)
        } catch {
            throw SluiceError(.system, "\(error)")
        }
    }
}
