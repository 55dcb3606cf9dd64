import Foundation

/// The tree that these tests stand in.
struct Repository {
    /// Everything that git tracks or would track, read as text. Without git: everything but hidden folders.
    let files: [SourceFile]

    var swiftSources: [SourceFile] { files.filter { $0.path.hasPrefix("Sources/") && $0.path.hasSuffix(".swift") } }
    var swiftTests: [SourceFile] { files.filter { $0.path.hasPrefix("Tests/") && $0.path.hasSuffix(".swift") } }
    /// Code that people write: Swift, C and Python.
    var code: [SourceFile] {
        files.filter { file in
            ["Sources/", "Tests/", "Examples/", "Benchmarks/"].contains { file.path.hasPrefix($0) }
                && [".swift", ".c", ".h", ".py"].contains { file.path.hasSuffix($0) }
        }
    }

    static func load(from file: String = #filePath) throws -> Repository {
        let top = URL(filePath: file).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let paths = try gitFiles(in: top) ?? walk(top)
        return Repository(
            files: paths.sorted().compactMap { path in
                // Deleted but not yet committed, a folder, or no text: nothing to look at.
                guard let data = try? Data(contentsOf: top.appending(path: path)) else { return nil }
                return SourceFile(path, String(decoding: data.prefix(1 << 20), as: UTF8.self))
            })
    }

    private static func gitFiles(in top: URL) throws -> [String]? {
        guard FileManager.default.fileExists(atPath: top.appending(path: ".git").path) else { return nil }
        let git = Process()
        git.executableURL = URL(filePath: "/usr/bin/env")
        git.arguments = ["git", "-C", top.path, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        let output = Pipe()
        git.standardOutput = output
        git.standardError = FileHandle.nullDevice
        try git.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        git.waitUntilExit()
        guard git.terminationStatus == 0 else { return nil }
        return data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func walk(_ top: URL) -> [String] {
        let files = FileManager.default.enumerator(at: top, includingPropertiesForKeys: nil, options: .skipsHiddenFiles)
        return (files?.allObjects as? [URL] ?? []).map { String($0.path.dropFirst(top.path.count + 1)) }
    }
}
