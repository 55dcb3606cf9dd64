import Sluice

extension Format where Value == String {
    /// The path of a unix socket starts at the file's folder, as all paths do.
    fileprivate static var address: Format {
        scalar(
            "an address such as \":8080\"",
            read: { text, decoding in
                text.hasPrefix("unix:") ? "unix:" + decoding.resolve(String(text.dropFirst(5))) : text
            }, write: { $0 })
    }
}

extension Format where Value == ListenerOptions {
    static var listener: Format {
        .object(
            "listeners[]", start: ListenerOptions(""),
            keys: [
                Key(
                    "address", \.address, .address, required: true,
                    "`:8080` (every address), `host:port`, `[v6]:port` or `unix:/path`. Port 0: the system chooses."),
                Key(
                    "tls", optional: \.tls, .tls,
                    "Speaks HTTPS instead of HTTP. `development`: with a certificate of a local authority, made in "
                        + "`certs/` on first use."),
                Key(
                    "h2c", \.h2c, .boolean,
                    "Speaks HTTP/2 without TLS to clients that begin with it (prior knowledge). Not with `tls`, which "
                        + "agrees on the protocol by ALPN."),
                Key(
                    "proxy_protocol", \.proxyProtocol, .boolean,
                    "Each connection begins with a header of the PROXY protocol, version 1 or 2, and its client is the one "
                        + "that it names. Only `trusted_proxies`, and who comes over a unix socket, may connect then."),
            ], short: "address")
    }
}

/// TLS as it stands in a file: with a word for what the library has a function for.
struct TLSDraft {
    var certificates: [CertificateFiles] = []
    var development = false
    var directory: String?
    var minimumVersion = TLSVersion.v12
    var alpn = TLSOptions.development().alpn

    init(development: Bool = false) { self.development = development }

    init(_ options: TLSOptions) {
        certificates = options.certificates
        development = options.developmentDirectory != nil
        directory =
            options.developmentDirectory == TLSOptions.development().developmentDirectory
            ? nil : options.developmentDirectory
        minimumVersion = options.minimumVersion
        alpn = options.alpn
    }

    var options: TLSOptions {
        var options = TLSOptions.files(certificates)
        if development { options = directory.map { .development(directory: $0) } ?? .development() }
        options.minimumVersion = minimumVersion
        options.alpn = alpn
        return options
    }
}

extension Format where Value == TLSOptions {
    static var tls: Format {
        let keys: [Key<TLSDraft>] = [
            Key(
                "certificates", \.certificates,
                .list(of: .certificate, "certificates", broken: CertificateFiles(certificate: "", key: "")),
                "The first is the default; the others are chosen by the name that a client asks for (SNI)."
            ).written { !$0.development },
            Key("development", \.development, .boolean, "A certificate of a local authority, made on first use.")
                .written { $0.development || $0.certificates.isEmpty },
            Key(
                "directory", optional: \.directory, .folder,
                "Where the local authority's files are; `certs` in the working directory when it is not given."),
            Key(
                "minimum_version", \.minimumVersion, .choice(["1.2": .v12, "1.3": .v13]),
                "The oldest version of TLS that is spoken."),
            Key(
                "alpn", \.alpn, .list(of: .text, "protocols", broken: ""),
                "Protocols offered (ALPN), in order of preference: `h2`, `http/1.1`."),
        ]
        return Format<TLSDraft>.object(
            "listeners[].tls", start: TLSDraft(), keys: keys, word: ("development", TLSDraft(development: true)),
            rules: [.exactlyOne(["certificates", "development"]), .needs(["directory"], "development")]
        ).map({ draft, _ in draft.options }, { TLSDraft($0) })
    }
}

extension Format where Value == CertificateFiles {
    static var certificate: Format {
        .object(
            "listeners[].tls.certificates[]", start: CertificateFiles(certificate: "", key: ""),
            keys: [
                Key(
                    "certificate", \.certificate, .file, required: true,
                    "A PEM file with the certificate, then its intermediates."),
                Key("key", \.key, .file, required: true, "A PEM file with the private key."),
            ])
    }
}
