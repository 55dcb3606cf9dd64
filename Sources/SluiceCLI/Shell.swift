import Foundation

/// The program's surroundings: its environment, its output, files, and other programs.
enum Shell {
    static var environment: [String: String] { ProcessInfo.processInfo.environment }

    static var isRoot: Bool { geteuid() == 0 }

    /// `2026-01-31T12:00:00.000Z`
    static var now: String { Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)) }

    static func fileExists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: name) }

    static func say(_ text: String) { try? FileHandle.standardOutput.write(contentsOf: Data(ended(text).utf8)) }

    static func complain(_ text: String) { writeError(ended(text)) }

    static func writeError(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }

    static func exit(_ status: Int32) -> Never { Foundation.exit(status) }

    private static func ended(_ text: String) -> String { text.hasSuffix("\n") ? text : text + "\n" }

    /// Where a program is, by PATH; `nil` when it is not there.
    static func program(_ name: String) -> String? {
        let folders = (environment["PATH"] ?? "").split(separator: ":")
        return folders.map { $0 + "/" + name }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Runs a program to its end; says whether it succeeded. Its output is not shown.
    static func run(_ program: String, _ arguments: [String]) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { return false }
        process.waitUntilExit()
        return process.terminationReason == .exit && process.terminationStatus == 0
    }

    static func makeFolder(_ name: String) -> Bool {
        (try? FileManager.default.createDirectory(atPath: name, withIntermediateDirectories: true)) != nil
    }

    static func copy(_ file: String, to other: String) -> Bool {
        guard let data = FileManager.default.contents(atPath: file) else { return false }
        return FileManager.default.createFile(atPath: other, contents: data, attributes: [.posixPermissions: 0o644])
    }

    static func contents(ofFolder name: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: name))?.sorted() ?? []
    }
}
