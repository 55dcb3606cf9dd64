internal import Logging
internal import SluiceTLS
internal import Synchronization

/// The TLS context of one listener, read again when its certificates' files change. Connections keep the context that
/// they began with.
final class TLSFiles: Sendable {
    private let options: TLSOptions
    private let files: [(certificate: String, key: String)]
    private let ticketKeys: TLSTicketKeys
    private let logger: Logger
    private let current: Mutex<TLSServerContext>

    init(_ options: TLSOptions, _ logger: Logger) throws(SluiceError) {
        self.options = options
        self.logger = logger
        ticketKeys = TLSTicketKeys()
        do {
            if let directory = options.developmentDirectory {
                let made = try DevelopmentAuthority.ensure(directory: directory, names: TLSFiles.developmentNames)
                files = [(made.certificate, made.key)]
            } else {
                files = options.certificates.map { ($0.certificate, $0.key) }
            }
            current = Mutex(try TLSFiles.load(files, options, ticketKeys, logger))
        } catch {
            throw SluiceError(.certificate, "\(error)")
        }
    }

    static let developmentNames = ["localhost", "127.0.0.1", "::1"]

    var context: TLSServerContext { current.withLock { $0 } }

    func rotateTicketKeys() { ticketKeys.rotate() }

    /// Reads the files again if they changed. What cannot be used changes nothing.
    func reloadIfChanged() {
        guard context.filesChanged else { return }
        do {
            let fresh = try TLSFiles.load(files, options, ticketKeys, logger)
            current.withLock { $0 = fresh }
            logger.notice(
                "certificates were read again", metadata: ["certificate": "\(files.first?.certificate ?? "")"])
        } catch {
            logger.error("certificates changed but cannot be used; the old ones stay", metadata: ["reason": "\(error)"])
        }
    }

    private static func load(
        _ files: [(certificate: String, key: String)], _ options: TLSOptions, _ keys: TLSTicketKeys, _ logger: Logger
    ) throws(TLSError) -> TLSServerContext {
        try TLSServerContext(
            certificates: files, alpn: options.alpn, minimumVersion: options.minimumVersion == .v13 ? .v13 : .v12,
            ticketKeys: keys, warn: { logger.warning("\($0)") })
    }
}
