import COpenSSL

/// A certificate with its chain and its key, read from two files that are known to fit.
struct CertificatePair {
    let certificate: Certificate
    let chain: [Certificate]
    let key: PrivateKey
    let file: String
    /// What the files were when they were read, taken before: a change meanwhile is seen.
    let files: [(path: String, identity: FileIdentity)]

    init(certificate path: String, key keyPath: String, warn: (String) -> Void) throws(TLSError) {
        let text = try readFile(path)
        let certificates = try PEM.certificates(text.bytes, file: path)
        let keyText = try readFile(keyPath)
        let key = try PEM.privateKey(keyText.bytes, file: keyPath)
        guard let certificate = certificates.first else {
            throw TLSError(.file, "holds no certificate in PEM form", file: path)
        }
        guard certificate.fits(key) else {
            throw TLSError(.file, "is not the key of the certificate in \(path)", file: keyPath)
        }
        self.certificate = certificate
        chain = Array(certificates.dropFirst())
        self.key = key
        file = path
        files = [(path, text.identity), (keyPath, keyText.identity)]
        switch certificate.validity() {
        case .valid: break
        case .expired: warn("\(path): the certificate expired on \(certificate.endText)")
        case .notYetValid: warn("\(path): the certificate is not valid before \(certificate.startText)")
        case .unreadable: warn("\(path): the certificate's dates cannot be read")
        }
    }

    /// Sorted, so that two certificates for the same names compare equal.
    var names: [String] { certificate.dnsNames.sorted() }

    var keyType: Int32 { unsafe EVP_PKEY_get_base_id(key.pointer) }

    func install(in context: ContextHandle) throws(TLSError) {
        ErrorQueue.clear()
        let stack = unsafe OPENSSL_sk_new_null()
        defer { unsafe OPENSSL_sk_free(stack) }
        for link in chain {
            unsafe OPENSSL_sk_push(stack, UnsafeRawPointer(link.pointer))
        }
        // Takes references of its own; weak keys and signatures are refused here (security level 2: 112 bits).
        guard unsafe SSL_CTX_use_cert_and_key(context.pointer, certificate.pointer, key.pointer, stack, 1) == 1 else {
            throw TLSError(.file, "the certificate cannot be used", file: file, reason: ErrorQueue.take())
        }
    }
}
