import COpenSSL

/// Owns an SSL_CTX, which counts its own references: sessions keep it alive beyond this.
///
/// Unchecked: it is changed only before it is shared, and OpenSSL takes its own locks for what sessions do to it.
@safe final class ContextHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        unsafe self.pointer = unsafe pointer
    }

    deinit {
        unsafe SSL_CTX_free(pointer)
    }

    /// Mozilla's "intermediate" list without DHE: ECDHE with AEAD, in the server's order of preference.
    static let suites12 = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    ]
    static let suites13 = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
    static let groups = "X25519:P-256:P-384"

    /// A context with what servers and clients share. The system's openssl.cnf cannot loosen any of it.
    static func make(_ method: OpaquePointer?, minimum: TLSVersion) throws(TLSError) -> ContextHandle {
        Initialization.once
        ErrorQueue.clear()
        guard let context = unsafe SSL_CTX_new(method) else {
            throw TLSError(.internal, "a TLS context cannot be made", reason: ErrorQueue.take())
        }
        let handle = unsafe ContextHandle(context)
        let lowest = minimum == .v13 ? TLS1_3_VERSION : TLS1_2_VERSION
        unsafe SSL_CTX_set_security_level(context, 2)
        unsafe sluice_openssl_set_common_options(context)
        unsafe sluice_openssl_disable_session_cache(context)
        let mode = Int(SSL_MODE_RELEASE_BUFFERS) | Int(SSL_MODE_NO_AUTO_CHAIN)
        unsafe sluice_openssl_set_mode(context, mode)
        unsafe SSL_CTX_set_info_callback(context, noteControl)
        guard unsafe sluice_openssl_set_protocols(context, lowest, TLS1_3_VERSION) == 1,
            unsafe SSL_CTX_set_cipher_list(context, suites12.joined(separator: ":")) == 1,
            unsafe SSL_CTX_set_ciphersuites(context, suites13.joined(separator: ":")) == 1,
            unsafe sluice_openssl_set_groups(context, groups) == 1
        else {
            throw TLSError(.internal, "OpenSSL refuses the TLS settings", reason: ErrorQueue.take())
        }
        return handle
    }
}

/// Protocol names as ALPN sends them: each behind its length (RFC 7301, 3.1).
func alpnWire(_ names: [String]) throws(TLSError) -> [UInt8] {
    var wire: [UInt8] = []
    for name in names {
        guard let count = UInt8(exactly: name.utf8.count), count > 0 else {
            throw TLSError(.misuse, "'\(name)' is no ALPN protocol name: 1 to 255 bytes are allowed")
        }
        wire.append(count)
        wire.append(contentsOf: name.utf8)
    }
    return wire
}
