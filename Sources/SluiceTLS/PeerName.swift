import COpenSSL

/// Who a client wants to talk to: a host name, sent as SNI, or an address, which is not.
enum PeerName: Equatable {
    case host(String)
    case address([UInt8])

    init(_ text: String) throws(TLSError) {
        var name = text
        if name.hasPrefix("[") && name.hasSuffix("]") { name = String(name.dropFirst().dropLast()) }
        if let bytes = addressBytes(name) {
            self = .address(bytes)
            return
        }
        if name.hasSuffix(".") { name.removeLast() }  // RFC 6066, 3: without the trailing dot
        // A NUL would end the C string and verify another name; a colon or a bracket is a port or half an address.
        let isPlain = name.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "-._".utf8.contains(byte)
        }
        guard !name.isEmpty, name.utf8.count <= 253, isPlain else {
            throw TLSError(.misuse, "'\(text)' is no host name and no IP address")
        }
        self = .host(name.lowercased())
    }

    /// Sets what is sent and what is verified; false where OpenSSL refuses.
    func apply(to ssl: OpaquePointer) -> Bool {
        ErrorQueue.clear()
        switch self {
        case .host(let name):
            let flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT
            unsafe SSL_set_hostflags(ssl, UInt32(flags))
            return unsafe SSL_set1_host(ssl, name) == 1 && sluice_openssl_send_server_name(ssl, name) == 1
        case .address(let bytes):
            return unsafe X509_VERIFY_PARAM_set1_ip(SSL_get0_param(ssl), bytes, bytes.count) == 1
        }
    }
}
