internal import SluiceIO

/// The access log.
extension ConfigurationCheck {
    mutating func checkAccessLog(_ options: AccessLogOptions, _ path: Path) {
        for (index, name) in options.mask.enumerated() where name.isEmpty {
            report(path["mask"][index], "expected the name of a parameter")
        }
        guard case .file(let file) = options.destination.kind else { return }
        if file.isEmpty {
            report(path["path"], "expected stdout, off or the name of a file")
        } else if NamedFolder.exists(file) {
            report(path["path"], "\(file) is a folder")
        } else {
            let parts = file.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            let folder = parts.joined(separator: "/")
            guard !NamedFolder.exists(folder.isEmpty ? (parts.isEmpty ? "." : "/") : folder) else { return }
            report(path["path"], "there is no folder \(folder) for the access log")
        }
    }
}
