import COpenSSL

/// A listener's certificates and settings. Made again when its files change; sessions made before keep what they have.
package final class TLSServerContext: Sendable {
    /// The first certificate's: where sessions begin, and where clients with an unknown or no name stay.
    let handle: ContextHandle
    private let files: [(path: String, identity: FileIdentity)]

    /// - Parameters:
    ///   - certificates: PEM files: the certificate with its chain, and its key. Chosen by SNI; the first is the default.
    ///     Two for the same names with keys of different kinds (RSA, EC) are offered together.
    ///   - alpn: protocols in order of preference; empty: the extension is ignored.
    ///   - warn: told of certificates that are expired or not valid yet.
    /// - Throws: an error that names the file and the reason.
    package init(
        certificates: [(certificate: String, key: String)], alpn: [String], minimumVersion: TLSVersion,
        ticketKeys: TLSTicketKeys, warn: (String) -> Void
    ) throws(TLSError) {
        let policy = ListenerPolicy(alpn: try alpnWire(alpn), ticketKeys: ticketKeys)
        var contexts: [(handle: ContextHandle, names: [String], keyTypes: [Int32])] = []
        var files: [(path: String, identity: FileIdentity)] = []
        for paths in certificates {
            let pair = try CertificatePair(certificate: paths.certificate, key: paths.key, warn: warn)
            files += pair.files
            let names = pair.names
            let twin = contexts.firstIndex { $0.names == names && !$0.keyTypes.contains(pair.keyType) }
            if let twin {
                try pair.install(in: contexts[twin].handle)
                contexts[twin].keyTypes.append(pair.keyType)
            } else {
                let handle = try Self.makeContext(policy, minimumVersion)
                try pair.install(in: handle)
                contexts.append((handle, names, [pair.keyType]))
            }
        }
        guard let first = contexts.first?.handle else { throw TLSError(.misuse, "a TLS listener needs a certificate") }
        handle = first
        self.files = files
        let names = ServerNames(contexts.map { ($0.handle === first ? .first : .other($0.handle), $0.names) })
        guard unsafe ListenerPolicy.attach(names, to: first.pointer) else {
            throw TLSError(.internal, "a TLS context cannot be made", reason: ErrorQueue.take())
        }
    }

    /// Another file stands where one of its files was (time, size or inode differ), or none: worth reading again.
    package var filesChanged: Bool {
        files.contains { FileIdentity(path: $0.path) != $0.identity }
    }

    /// All of a listener's contexts are set alike: OpenSSL takes some settings from the first, some from the chosen one.
    private static func makeContext(
        _ policy: ListenerPolicy, _ minimum: TLSVersion
    ) throws(TLSError) -> ContextHandle {
        let handle = try unsafe ContextHandle.make(TLS_server_method(), minimum: minimum)
        let context = unsafe handle.pointer
        unsafe sluice_openssl_prefer_server_order(context)
        unsafe sluice_openssl_set_server_name_callback(context, chooseCertificate)
        unsafe SSL_CTX_set_alpn_select_cb(context, chooseProtocol, nil)
        unsafe SSL_CTX_set_max_early_data(context, 0)
        unsafe SSL_CTX_set_recv_max_early_data(context, 0)
        unsafe SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticketKey)
        let scope = Array("sluice".utf8)
        guard unsafe policy.attach(to: context), unsafe SSL_CTX_set_num_tickets(context, 2) == 1,
            unsafe SSL_CTX_set_session_id_context(context, scope, UInt32(scope.count)) == 1
        else {
            throw TLSError(.internal, "a TLS context cannot be made", reason: ErrorQueue.take())
        }
        return handle
    }
}
