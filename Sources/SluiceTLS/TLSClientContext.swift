import COpenSSL

/// What connections to upstreams share: whom to trust, which protocols to offer, who to be. Verification cannot be turned
/// off.
package final class TLSClientContext: Sendable {
    let handle: ContextHandle

    /// - Parameters:
    ///   - authorities: a PEM file of the certificates that are trusted instead of the system's; nil: the system's.
    ///   - alpn: protocols to offer, best first; none: the extension is not sent.
    ///   - certificate: PEM files of the certificate with its chain, and of its key: for a server that asks who the client
    ///     is (RFC 8446, 4.3.2). nil: such a server is told that there is none.
    ///   - warn: told of a certificate that is expired or not valid yet.
    /// - Throws: an error that names the file and the reason.
    package init(
        authorities: String?, alpn: [String], certificate: (certificate: String, key: String)? = nil,
        warn: (String) -> Void = { _ in }
    ) throws(TLSError) {
        handle = unsafe try ContextHandle.make(TLS_client_method(), minimum: .v12)
        let context = unsafe handle.pointer
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        unsafe try Self.trust(authorities, context)
        let wire = try alpnWire(alpn)
        // 0 is success, here only.
        if !wire.isEmpty, unsafe SSL_CTX_set_alpn_protos(context, wire, UInt32(wire.count)) != 0 {
            throw TLSError(.internal, "OpenSSL refuses the ALPN protocols", reason: ErrorQueue.take())
        }
        if let certificate {
            let pair = try CertificatePair(certificate: certificate.certificate, key: certificate.key, warn: warn)
            try pair.install(in: handle)
        }
    }

    private static func trust(_ authorities: String?, _ context: OpaquePointer) throws(TLSError) {
        ErrorQueue.clear()
        guard let file = authorities else {
            guard unsafe SSL_CTX_set_default_verify_paths(context) == 1 else {
                throw TLSError(
                    .internal, "the system's certificate authorities cannot be used", reason: ErrorQueue.take())
            }
            return
        }
        let certificates = try PEM.certificates(try readFile(file).bytes, file: file)
        let store = unsafe SSL_CTX_get_cert_store(context)
        for certificate in certificates where unsafe X509_STORE_add_cert(store, certificate.pointer) != 1 {
            throw TLSError(.file, "a certificate of it cannot be trusted", file: file, reason: ErrorQueue.take())
        }
    }
}
