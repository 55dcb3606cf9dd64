import FoundationEssentials

/// Names of files.
enum Files {
    /// Without `.`, `..` and doubled slashes.
    static func normal(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." { parts.removeLast() } else { parts.append(part) }
        }
        return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }

    /// The folder in which a file stands, as an absolute path.
    static func folder(of file: String) -> String {
        let full = file.hasPrefix("/") ? file : FileManager.default.currentDirectoryPath + "/" + file
        let normal = normal(full)
        return normal.lastIndex(of: "/").map { String(normal[..<$0]) } ?? "/"
    }
}
