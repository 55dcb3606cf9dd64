import COpenSSL

/// Owns an X509.
@safe final class Certificate {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        unsafe self.pointer = unsafe pointer
    }

    deinit {
        unsafe X509_free(pointer)
    }
}

/// Owns an EVP_PKEY.
@safe final class PrivateKey {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        unsafe self.pointer = unsafe pointer
    }

    deinit {
        unsafe EVP_PKEY_free(pointer)
    }
}

/// Reads what PEM files hold (RFC 7468), with errors that name the file.
enum PEM {
    /// All certificates, in file order; at least one.
    static func certificates(_ bytes: [UInt8], file: String) throws(TLSError) -> [Certificate] {
        ErrorQueue.clear()
        let found = unsafe withMemory(bytes) { bio in
            var found: [Certificate] = []
            while let certificate = unsafe PEM_read_bio_X509(bio, nil, refusePassphrase, nil) {
                found.append(unsafe Certificate(certificate))
            }
            return found
        }
        // The reader stops at the first thing that is no certificate; only "nothing more" is a good reason to stop.
        let code = ErrorQueue.takeCode()
        if let code, ErrorQueue.reasonCode(code) != PEM_R_NO_START_LINE {
            throw TLSError(.file, "holds a broken certificate", file: file, reason: ErrorQueue.text(code))
        }
        guard !found.isEmpty else { throw TLSError(.file, "holds no certificate in PEM form", file: file) }
        return found
    }

    static func privateKey(_ bytes: [UInt8], file: String) throws(TLSError) -> PrivateKey {
        ErrorQueue.clear()
        let key = unsafe withMemory(bytes) { bio in
            unsafe PEM_read_bio_PrivateKey(bio, nil, refusePassphrase, nil).map { unsafe PrivateKey($0) }
        }
        if let key {
            ErrorQueue.clear()
            return key
        }
        let text = String(decoding: bytes, as: UTF8.self)
        let code = ErrorQueue.takeCode()
        if text.contains("ENCRYPTED") {
            throw TLSError(.file, "is encrypted: keys with a passphrase cannot be used", file: file)
        }
        if let code, ErrorQueue.reasonCode(code) != PEM_R_NO_START_LINE, text.contains("-----BEGIN") {
            throw TLSError(.file, "holds a broken private key", file: file, reason: ErrorQueue.text(code))
        }
        throw TLSError(.file, "holds no private key in PEM form", file: file)
    }

    static func text(_ certificate: Certificate) -> [UInt8]? {
        unsafe written { bio in unsafe PEM_write_bio_X509(bio, certificate.pointer) }
    }

    static func text(_ key: PrivateKey) -> [UInt8]? {
        unsafe written { bio in unsafe PEM_write_bio_PKCS8PrivateKey(bio, key.pointer, nil, nil, 0, nil, nil) }
    }

    private static func withMemory<Result>(_ bytes: [UInt8], _ body: (OpaquePointer?) -> Result) -> Result {
        unsafe bytes.withUnsafeBytes { all in
            let bio = unsafe BIO_new_mem_buf(all.baseAddress, Int32(clamping: all.count))
            defer { unsafe BIO_free(bio) }
            return unsafe body(bio)
        }
    }

    private static func written(_ body: (OpaquePointer?) -> Int32) -> [UInt8]? {
        guard let bio = unsafe BIO_new(BIO_s_mem()) else { return nil }
        defer { unsafe BIO_free(bio) }
        guard unsafe body(bio) == 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: unsafe BIO_ctrl_pending(bio))
        let count = unsafe BIO_read(bio, &bytes, Int32(clamping: bytes.count))
        return count == bytes.count ? bytes : nil
    }
}

/// OpenSSL's own callback would ask at the terminal and wait.
private func refusePassphrase(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int32, _ isWriting: Int32, _ data: UnsafeMutableRawPointer?
) -> Int32 {
    -1
}
