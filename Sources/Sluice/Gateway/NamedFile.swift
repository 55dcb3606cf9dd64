internal import SluiceIO
internal import SluiceTLS

/// Files that a configuration names.
package enum NamedFile {
    /// Why a file cannot be used; names the file.
    package struct Problem: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// The whole of a file.
    /// - Parameter limit: the most bytes that it may have.
    package static func read(_ name: String, limit: Int) throws(Problem) -> [UInt8] {
        guard !name.isEmpty else { throw Problem(description: "expected the name of a file") }
        do throws(Errno) {
            return try FileContent.read(name, limit: limit)
        } catch {
            throw Problem(description: "the file \(name) cannot be read: \(error)")
        }
    }

    /// Why a file cannot be read; `nil` when it can.
    static func problem(of name: String) -> String? {
        do throws(Problem) {
            _ = try read(name, limit: 64 << 20)
            return nil
        } catch {
            return error.description
        }
    }
}

/// Whether a certificate and its key can be used.
enum CertificateCheck {
    /// Why a pair of files that can be read is of no use: no PEM, no key, a key of another certificate.
    static func problem(of files: CertificateFiles) -> String? {
        do throws(TLSError) {
            _ = try TLSServerContext(
                certificates: [(certificate: files.certificate, key: files.key)], alpn: ["http/1.1"],
                minimumVersion: .v12, ticketKeys: TLSTicketKeys(), warn: { _ in })
            return nil
        } catch {
            return error.description
        }
    }
}
