internal import SluiceIO

/// Files of folders.
extension ConfigurationCheck {
    mutating func check(_ options: FileOptions, _ path: Path) {
        for (index, name) in options.index.enumerated() where name.contains("/") || !Self.isServed(name) {
            report(path["index"][index], "expected the name of a file such as index.html, not \"\(name)\"")
        }
        if let value = options.cacheControl { headerValue(value, path["cache_control"]) }
        for (name, type) in options.types.sorted(by: { $0.key < $1.key }) {
            if name.isEmpty || name.contains(where: { $0 == "." || $0 == "/" }) {
                report(path["types"][name], "expected an extension without its dot, such as webmanifest")
            }
            let parts = type.split(separator: ";", maxSplits: 1)
            if !Syntax.isFieldValue(type) || !Syntax.isMediaType(String(parts.first ?? "")) {
                report(path["types"][name], "expected a media type such as text/html; charset=utf-8, not \"\(type)\"")
            }
        }
        checkPlaces(of: options, path)
    }

    private mutating func checkPlaces(of options: FileOptions, _ path: Path) {
        guard !options.root.isEmpty else { return report(path["root"], "expected the name of a folder") }
        do throws(Errno) {
            let folder = try RootFolder(options.root)
            guard let fallback = options.fallback else { return }
            let place = path["fallback"]
            guard Self.isServed(fallback) else {
                return report(place, "expected a file below the root such as index.html, not \"\(fallback)\"")
            }
            do throws(Errno) {
                let file = try folder.open(Array(fallback.utf8))
                if file.facts.kind != .regular { report(place, "\(options.root)/\(fallback) is no file") }
            } catch {
                report(place, "the file \(options.root)/\(fallback) cannot be read: \(error)")
            }
        } catch {
            report(path["root"], "the folder \(options.root) cannot be opened: \(error)")
        }
    }

    /// Whether a client could ask for it, written without escapes.
    private static func isServed(_ name: String) -> Bool {
        !name.contains("%") && FilePath(Array("/\(name)".utf8)[...])?.endsWithSlash == false
    }
}
