import Foundation
import SluiceIO
import Testing

/// Both ways to follow a path: by the kernel, and name by name where it does not know how.
struct RootFolderTests {
    /// `root`, and beside it what must not be reached.
    final class Tree: Sendable {
        let top: String
        var root: String { top + "/root" }

        init() throws {
            top = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-\(UUID())").path
            let manager = FileManager.default
            try manager.createDirectory(atPath: top + "/root/a/b", withIntermediateDirectories: true)
            for (name, text) in [("/secret", "secret"), ("/root/file", "hello"), ("/root/a/b/deep", "deep")] {
                try Data(text.utf8).write(to: URL(fileURLWithPath: top + name))
            }
            for (name, target) in [
                ("near", "file"), ("a/up", "../file"), ("out", "../secret"), ("absolute", top + "/root/file"),
                ("folder", "a"), ("away", ".."), ("loop", "loop"), ("proc", "/proc/self/root"),
            ] {
                try manager.createSymbolicLink(atPath: root + "/" + name, withDestinationPath: target)
            }
            unsafe mkfifo(root + "/fifo", 0o600)
        }

        deinit { try? FileManager.default.removeItem(atPath: top) }
    }

    let tree: Tree
    init() throws { tree = try Tree() }

    /// What a file holds, or why it was not opened.
    private func content(_ path: String, _ following: RootFolder.Following) -> Result<String, Errno> {
        Result { () throws(Errno) in
            let folder = try RootFolder(tree.root)
            let file = try folder.open(Array(path.utf8), following)
            guard file.facts.kind == .regular else { return "\(file.facts.kind)" }
            var bytes = [UInt8](repeating: 0, count: 100)
            let outcome = unsafe bytes.withUnsafeMutableBytes { unsafe file.read(at: 0, into: $0) }
            guard case .bytes(let count) = outcome else { return "\(outcome)" }
            return String(decoding: bytes.prefix(count), as: UTF8.self)
        }
    }

    @Test(arguments: [RootFolder.Following.beneath, .withoutLinks])
    func `what is below the folder is opened, whatever it is`(_ following: RootFolder.Following) {
        #expect(content("file", following) == .success("hello"))
        #expect(content("a/b/deep", following) == .success("deep"))
        #expect(content("a/b", following) == .success("folder"))
        #expect(content("a/b/", following) == .success("folder"))
        // Without anybody who writes to it.
        #expect(content("fifo", following) == .success("other"))
    }

    @Test(arguments: [RootFolder.Following.beneath, .withoutLinks])
    func `nothing else is`(_ following: RootFolder.Following) {
        for path in [
            "", "/", ".", "..", "../secret", "a/../file", "a/./b", "a//b", "/file", "out", "absolute", "away/secret",
            "loop", "proc", "proc/etc/passwd", "none", "file/", "file/x", "a/b/../../../secret", "fi\0le",
            String(repeating: "x", count: 300), String(repeating: "x/", count: 3000) + "x",
        ] {
            let found = content(path, following)
            guard case .failure(let error) = found else {
                Issue.record("\(path): \(found)")
                continue
            }
            #expect(error.fileStatus == 404, "\(path): \(error)")
        }
    }

    @Test func `links lead anywhere below the folder, where the kernel sees to it`() {
        #expect(content("near", .beneath) == .success("hello"))
        #expect(content("a/up", .beneath) == .success("hello"))
        #expect(content("folder/b/deep", .beneath) == .success("deep"))
        for path in ["near", "a/up", "folder/b/deep"] {
            #expect(throws: Errno.self) { try content(path, .withoutLinks).get() }
        }
    }

    @Test func `the facts are the file's, and a read behind its end says so`() throws {
        let file = try RootFolder(tree.root).open(Array("file".utf8))
        let attributes = try FileManager.default.attributesOfItem(atPath: tree.root + "/file")
        #expect(file.facts.size == 5)
        #expect(file.facts.inode == (attributes[.systemFileNumber] as? NSNumber)?.uint64Value)
        let modified = try #require(attributes[.modificationDate] as? Date)
        #expect(file.facts.modifiedSeconds == Int64(modified.timeIntervalSince1970))
        var bytes = [UInt8](repeating: 0, count: 4)
        let outcomes: [IOResult] = [0, 3, 5, .max].map { place in
            unsafe bytes.withUnsafeMutableBytes { unsafe file.read(at: place, into: $0) }
        }
        #expect(outcomes == [.bytes(4), .bytes(2), .end, .failed(.invalid)])
    }

    @Test func `a root that is not there, or a file, is an error`() {
        #expect(throws: Errno.notFound) { _ = try RootFolder(tree.top + "/none") }
        #expect(throws: Errno(ENOTDIR)) { _ = try RootFolder(tree.root + "/file") }
    }

    @Test(
        arguments: [
            (ENOENT, 404), (ENOTDIR, 404), (ELOOP, 404), (ENAMETOOLONG, 404), (EXDEV, 404), (EACCES, 403),
            (EMFILE, 503),
            (ENFILE, 503), (EIO, 500),
        ] as [(Int32, UInt16)])
    func `errors have a status`(_ error: Int32, _ status: UInt16) { #expect(Errno(error).fileStatus == status) }
}
