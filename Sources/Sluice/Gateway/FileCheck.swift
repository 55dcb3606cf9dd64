import FoundationEssentials

/// Whether the files that a configuration names are there.
enum FileCheck {
    /// Why a file cannot be read; `nil` when it can.
    static func problem(of name: String) -> String? {
        var isDirectory = false
        guard !name.isEmpty else { return "expected the name of a file" }
        guard FileManager.default.fileExists(atPath: name, isDirectory: &isDirectory) else {
            return "there is no file \(name)"
        }
        if isDirectory { return "\(name) is a folder, not a file" }
        return FileManager.default.isReadableFile(atPath: name) ? nil : "the file \(name) cannot be read"
    }
}

/// Whether a certificate and its key can be used.
enum CertificateCheck {
    static func problem(of files: CertificateFiles) -> String? { nil }
}
