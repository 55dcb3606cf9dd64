import COpenSSL

/// Why a client's side failed, in words that say whose fault it is and what to look at.
///
/// What the peer's certificate says is cut short and free of control characters: it goes into log lines.
enum ClientFailure {
    /// For a handshake that failed, or a session that failed later: with TLS 1.3 a server refuses the client's certificate
    /// after the client's handshake is done.
    static func error(_ ssl: OpaquePointer, _ opening: Opening, isEstablished: Bool) -> TLSError {
        let code = ErrorQueue.takeCode()
        let reason = code.map(ErrorQueue.text)
        if isEstablished {
            return code.flatMap(ErrorQueue.alert).map { unsafe ofAlert($0, reason, ssl) }
                ?? TLSError(.handshake, "the TLS session failed", reason: reason)
        }
        let verified = unsafe SSL_get_verify_result(ssl)
        if verified != Int(X509_V_OK) { return unsafe refused(verified, ssl) }
        if let error = notTLS(opening) { return error }
        return code.flatMap(ErrorQueue.alert).map { unsafe ofAlert($0, reason, ssl) }
            ?? TLSError(.handshake, "the TLS handshake failed", reason: reason)
    }

    /// nil where the server's first bytes may be TLS.
    static func notTLS(_ opening: Opening) -> TLSError? {
        if opening.mayBeTLS { return nil }
        return TLSError(
            .notTLS,
            opening.isHTTPAnswer ? "the server answers in plain HTTP, not TLS" : "the server does not speak TLS")
    }

    // MARK: The server refuses us

    private static let certificateAlerts = [
        SSL3_AD_BAD_CERTIFICATE, SSL3_AD_UNSUPPORTED_CERTIFICATE, SSL3_AD_CERTIFICATE_REVOKED,
        SSL3_AD_CERTIFICATE_EXPIRED, SSL3_AD_CERTIFICATE_UNKNOWN, TLS1_AD_UNKNOWN_CA,
    ]

    /// Numbers of alerts are those of RFC 8446, 6.
    private static func ofAlert(_ alert: Int32, _ reason: String?, _ ssl: OpaquePointer) -> TLSError {
        let hasCertificate = unsafe SSL_get_certificate(ssl) != nil
        // Up to TLS 1.2 a missing certificate is a handshake_failure or bad_certificate like any other.
        let wasAsked = unsafe sluice_openssl_was_asked_for_certificate(ssl) == 1
        switch alert {
        case SSL3_AD_HANDSHAKE_FAILURE where wasAsked && !hasCertificate, SSL3_AD_BAD_CERTIFICATE where !hasCertificate,
            TLS13_AD_CERTIFICATE_REQUIRED where !hasCertificate:
            return TLSError(.clientCertificate, "the server requires a client certificate, and none is configured")
        case TLS13_AD_CERTIFICATE_REQUIRED:
            return TLSError(
                .clientCertificate, "the server cannot use the kind of client certificate that is configured")
        case _ where hasCertificate && certificateAlerts.contains(alert):
            return TLSError(.clientCertificate, "the server refuses the client certificate", reason: reason)
        default:
            return TLSError(.handshake, "the server ended the TLS session with an alert", reason: reason)
        }
    }

    // MARK: We refuse the server

    private static func refused(_ result: Int, _ ssl: OpaquePointer) -> TLSError {
        let chain = unsafe chain(ssl)
        let reason = unsafe X509_verify_cert_error_string(result).map { unsafe String(cString: $0) }
        switch Int32(truncatingIfNeeded: result) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return TLSError(.certificateRefused, expired(chain))
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return TLSError(.certificateRefused, notYetValid(chain))
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
            return TLSError(.certificateRefused, unsafe otherName(chain, ssl))
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            return TLSError(.certificateRefused, "the server's certificate is self-signed, and not one that is trusted")
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
            X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
            X509_V_ERR_CERT_UNTRUSTED:
            let issuer = chain.last.map { " (\($0.issuerText))" } ?? ""
            return TLSError(
                .certificateRefused, "the server's certificate is of an authority that is not trusted\(issuer)",
                reason: reason)
        default:
            return TLSError(.certificateRefused, "the server's certificate is not accepted", reason: reason)
        }
    }

    /// What the server sent, its own certificate first; empty where OpenSSL does not keep it.
    private static func chain(_ ssl: OpaquePointer) -> [Certificate] {
        guard let stack = unsafe SSL_get_peer_cert_chain(ssl) else { return [] }
        return (0..<max(0, unsafe OPENSSL_sk_num(stack))).compactMap { index in
            guard let pointer = unsafe OPENSSL_sk_value(stack, index) else { return nil }
            let certificate = OpaquePointer(pointer)
            guard unsafe X509_up_ref(certificate) == 1 else { return nil }
            return unsafe Certificate(certificate)
        }
    }

    private static func expired(_ chain: [Certificate]) -> String {
        guard let index = chain.firstIndex(where: { $0.validity() == .expired }) else {
            return "the certificate of the server's authority has expired"
        }
        return "\(owner(index)) expired on \(chain[index].endText)"
    }

    private static func notYetValid(_ chain: [Certificate]) -> String {
        guard let index = chain.firstIndex(where: { $0.validity() == .notYetValid }) else {
            return "the certificate of the server's authority is not yet valid"
        }
        return "\(owner(index)) is not yet valid: it starts on \(chain[index].startText)"
    }

    private static func owner(_ index: Int) -> String {
        index == 0 ? "the server's certificate" : "a certificate above the server's"
    }

    private static func otherName(_ chain: [Certificate], _ ssl: OpaquePointer) -> String {
        let wanted = unsafe wantedName(ssl) ?? "the name of the server"
        let names = chain.first?.alternativeNames ?? []
        let shown = names.prefix(3).map { String($0.prefix(80).filter { $0.isASCII && !$0.isWhitespace && $0 >= "!" }) }
        guard !shown.isEmpty else { return "the server's certificate is for another name than \(wanted)" }
        let more = names.count > shown.count ? " and \(names.count - shown.count) more" : ""
        return
            "the server's certificate is for another name than \(wanted): for \(shown.joined(separator: ", "))\(more)"
    }

    /// The host name that is sent as SNI, or the address.
    private static func wantedName(_ ssl: OpaquePointer) -> String? {
        if let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) { return unsafe String(cString: name) }
        guard let text = unsafe X509_VERIFY_PARAM_get1_ip_asc(SSL_get0_param(ssl)) else { return nil }
        defer { unsafe CRYPTO_free(text, nil, 0) }
        return unsafe String(cString: text)
    }
}

extension Certificate {
    /// "/O=Example/CN=Example CA", at most 160 bytes of printable ASCII, other bytes as \xNN.
    fileprivate var issuerText: String {
        var buffer = [CChar](repeating: 0, count: 160)
        guard unsafe X509_NAME_oneline(X509_get_issuer_name(pointer), &buffer, Int32(buffer.count)) != nil else {
            return "?"
        }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
