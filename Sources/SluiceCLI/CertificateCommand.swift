import ArgumentParser
import Sluice

struct CertificateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cert", abstract: "Make a certificate of a local authority, for development.",
        discussion: "What is there already and still good is kept.")

    @Argument(help: "Host names and addresses (localhost 127.0.0.1 ::1).")
    var names: [String] = []

    @Option(help: "The folder for the authority, the certificate and their keys.")
    var directory = "certs"

    @Flag(help: "Make this machine and its browsers trust the authority, or say how.")
    var trust = false

    func validate() throws {
        for name in names where !Self.isName(name) {
            throw ValidationError("\"\(name)\" is not a host name or an address.")
        }
    }

    func run() throws {
        let made = try DevelopmentFiles(
            directory: directory, names: names.isEmpty ? DevelopmentFiles.standardNames : names)
        Shell.say("authority    \(made.authority)\ncertificate  \(made.certificate)\nkey          \(made.key)")
        if trust {
            Shell.say(Trust(authority: made.authority).install())
        } else {
            Shell.say("To make this machine trust the authority: sluice cert --trust")
        }
    }

    /// A DNS name (RFC 1123, section 2.1; `*.` may stand before it) or an address.
    static func isName(_ name: String) -> Bool {
        let letters = name.utf8
        guard !letters.isEmpty, letters.count <= 253 else { return false }
        if name.contains(":") { return letters.allSatisfy { $0 == 0x3A || $0 == 0x2E || isHexadecimal($0) } }
        let labels = (name.hasPrefix("*.") ? name.dropFirst(2) : name[...]).split(
            separator: ".", omittingEmptySubsequences: false)
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy { isLetterOrDigit($0) || $0 == 0x2D || $0 == 0x5F }
        }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }
}
