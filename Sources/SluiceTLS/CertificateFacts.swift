import COpenSSL

extension Certificate {
    /// The DNS names it is for, in lower case: the subject alternative names, else the common name (RFC 6125, 6.4.4).
    var dnsNames: [String] {
        let names = alternativeNames
        if !names.isEmpty { return names }
        return commonName.map { [$0] } ?? []
    }

    var alternativeNames: [String] {
        guard let names = unsafe X509_get_ext_d2i(pointer, NID_subject_alt_name, nil, nil) else { return [] }
        let stack = OpaquePointer(names)
        defer { unsafe sluice_openssl_free_names(stack) }
        var found: [String] = []
        for index in 0..<max(0, unsafe OPENSSL_sk_num(stack)) {
            guard let name = unsafe OPENSSL_sk_value(stack, index), let dns = unsafe sluice_openssl_dns_name(name),
                let text = unsafe Self.text(dns)
            else { continue }
            found.append(text)
        }
        return found
    }

    private var commonName: String? {
        let subject = unsafe X509_get_subject_name(pointer)
        let index = unsafe X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
        guard index >= 0, let entry = unsafe X509_NAME_get_entry(subject, index),
            let data = unsafe X509_NAME_ENTRY_get_data(entry)
        else { return nil }
        return unsafe Self.text(data)
    }

    /// nil where it holds a NUL or nothing: no such name exists, and it would be taken for a shorter one.
    private static func text(_ string: UnsafePointer<ASN1_STRING>) -> String? {
        guard let bytes = unsafe ASN1_STRING_get0_data(string) else { return nil }
        let count = Int(unsafe ASN1_STRING_length(string))
        guard count > 0 else { return nil }
        let all = unsafe UnsafeBufferPointer(start: bytes, count: count)
        guard unsafe !all.contains(0) else { return nil }
        return unsafe String(decoding: all, as: UTF8.self).lowercased()
    }

    enum Validity { case valid, expired, notYetValid, unreadable }

    /// As the certificate's dates and the system's time say, `secondsAhead` from now.
    func validity(secondsAhead: Int = 0) -> Validity {
        var moment = time(nil) + secondsAhead
        let start = unsafe X509_cmp_time(X509_get0_notBefore(pointer), &moment)
        let end = unsafe X509_cmp_time(X509_get0_notAfter(pointer), &moment)
        if start == 0 || end == 0 { return .unreadable }
        if end < 0 { return .expired }
        return start > 0 ? .notYetValid : .valid
    }

    /// "Nov 23 04:51:43 2026 GMT"
    func dateText(_ date: UnsafePointer<ASN1_TIME>?) -> String {
        guard let bio = unsafe BIO_new(BIO_s_mem()) else { return "?" }
        defer { unsafe BIO_free(bio) }
        guard unsafe ASN1_TIME_print(bio, date) == 1 else { return "?" }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = unsafe BIO_read(bio, &bytes, Int32(bytes.count))
        return String(decoding: bytes.prefix(max(0, Int(count))), as: UTF8.self)
    }

    var endText: String { unsafe dateText(X509_get0_notAfter(pointer)) }
    var startText: String { unsafe dateText(X509_get0_notBefore(pointer)) }

    func fits(_ key: PrivateKey) -> Bool {
        let fits = unsafe X509_check_private_key(pointer, key.pointer) == 1
        ErrorQueue.clear()
        return fits
    }
}
