import COpenSSL

/// Makes X.509 certificates (RFC 5280) with EC P-256 keys.
struct CertificateBuilder {
    enum Role {
        case authority
        case server(names: [CertificateName])
    }

    var commonName: String
    var role: Role
    var days: Int
    /// Days from now to the first valid day; only tests start elsewhere than an hour ago.
    var startDays = 0

    static func makeKey() throws(TLSError) -> PrivateKey {
        ErrorQueue.clear()
        guard let key = unsafe sluice_openssl_generate_p256_key() else { throw failure() }
        return unsafe PrivateKey(key)
    }

    /// A certificate for `key`, signed by `issuer`, or by itself where that is nil.
    func make(for key: PrivateKey, issuer: (certificate: Certificate, key: PrivateKey)?) throws(TLSError) -> Certificate
    {
        ErrorQueue.clear()
        guard let pointer = unsafe X509_new() else { throw Self.failure() }
        let made = unsafe Certificate(pointer)
        // An hour of the past, for clients whose clocks are behind; the length counts from there.
        let start = startDays * 86_400 - 3600
        let isFilled =
            unsafe X509_set_version(pointer, Int(X509_VERSION_3)) == 1 && setSerial(pointer)
            && X509_gmtime_adj(X509_getm_notBefore(pointer), start) != nil
            && X509_gmtime_adj(X509_getm_notAfter(pointer), start + days * 86_400) != nil
            && X509_set_pubkey(pointer, key.pointer) == 1 && setName(pointer)
        guard isFilled else { throw Self.failure() }
        let signer = unsafe issuer?.certificate.pointer ?? pointer
        guard unsafe X509_set_issuer_name(pointer, X509_get_subject_name(signer)) == 1 else { throw Self.failure() }
        for (number, value) in extensions {
            guard unsafe sluice_openssl_add_extension(pointer, signer, number, value) == 1 else { throw Self.failure() }
        }
        let signingKey = unsafe issuer?.key.pointer ?? key.pointer
        guard unsafe X509_sign(pointer, signingKey, EVP_sha256()) > 0 else { throw Self.failure() }
        return made
    }

    private var extensions: [(Int32, String)] {
        switch role {
        case .authority:
            return [
                (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"),
                (NID_key_usage, "critical,keyCertSign,cRLSign"),
                (NID_subject_key_identifier, "hash"),
            ]
        case .server(let names):
            return [
                (NID_basic_constraints, "critical,CA:FALSE"),
                (NID_key_usage, "critical,digitalSignature"),
                (NID_ext_key_usage, "serverAuth"),
                (NID_subject_key_identifier, "hash"),
                (NID_authority_key_identifier, "keyid"),
                (NID_subject_alt_name, names.map(\.alternativeName).joined(separator: ",")),
            ]
        }
    }

    /// 127 random bits, never zero (RFC 5280, 4.1.2.2).
    private func setSerial(_ certificate: OpaquePointer) -> Bool {
        guard let number = unsafe BN_new() else { return false }
        defer { unsafe BN_free(number) }
        return unsafe BN_rand(number, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1
            && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nil
    }

    private func setName(_ certificate: OpaquePointer) -> Bool {
        let name = unsafe X509_get_subject_name(certificate)
        // RFC 5280 allows a common name 64 characters.
        let entries = [("O", "Sluice development"), ("CN", String(commonName.prefix(64)))]
        return entries.allSatisfy { field, text in
            let bytes = Array(text.utf8)
            return unsafe X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, bytes, Int32(bytes.count), -1, 0) == 1
        }
    }

    private static func failure() -> TLSError {
        TLSError(.internal, "a certificate cannot be made", reason: ErrorQueue.take())
    }
}

/// What a certificate is for: a DNS name, perhaps with `*` as its first label, or an IP address.
enum CertificateName: Hashable {
    case dns(String)
    case address(String)

    /// Strict, since the name is written into OpenSSL's configuration syntax and into a file's name.
    init(_ text: String) throws(TLSError) {
        if addressBytes(text) != nil {
            self = .address(text.lowercased())
            return
        }
        let name = text.lowercased()
        let labels = (name.hasPrefix("*.") ? name.dropFirst(2) : name[...]).utf8.split(
            separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let isName = labels.allSatisfy { label in
            !label.isEmpty && label.count <= 63 && label.first != UInt8(ascii: "-")
                && label.allSatisfy { byte in
                    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
                        || byte == UInt8(ascii: "_")
                }
        }
        guard isName, name.utf8.count <= 253 else {
            throw TLSError(.misuse, "'\(text)' is no DNS name and no IP address")
        }
        self = .dns(name)
    }

    var text: String {
        switch self {
        case .dns(let name), .address(let name): name
        }
    }

    var alternativeName: String {
        switch self {
        case .dns(let name): "DNS:\(name)"
        case .address(let address): "IP:\(address)"
        }
    }

    /// Without what shells and other systems take for something else; `ca` is the authority's own.
    var fileName: String {
        let plain = text.replacing("*", with: "_wildcard").replacing(":", with: "_")
        return plain == "ca" ? "_ca" : plain
    }

    func isNamed(in certificate: Certificate) -> Bool {
        defer { ErrorQueue.clear() }
        switch self {
        case .dns(let name): return certificate.alternativeNames.contains(name)
        case .address(let address): return unsafe X509_check_ip_asc(certificate.pointer, address, 0) == 1
        }
    }
}
