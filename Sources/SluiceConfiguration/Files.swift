import FoundationEssentials
import Sluice

/// The few things that a configuration asks of files.
enum Files {
    /// The whole of a file up to a size.
    static func read(_ name: String, most: Int) -> Result<[UInt8], Failure> {
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: name, isDirectory: &isDirectory) else {
            return .failure(Failure(message: "there is no file \(name)"))
        }
        if isDirectory { return .failure(Failure(message: "\(name) is a folder, not a file")) }
        guard let data = FileManager.default.contents(atPath: name) else {
            return .failure(Failure(message: "the file \(name) cannot be read"))
        }
        guard data.count <= most else {
            return .failure(Failure(message: "the file \(name) is larger than \(Scalars.text(bytes: most))"))
        }
        return .success(Array(data))
    }

    struct Failure: Error { let message: String }

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
