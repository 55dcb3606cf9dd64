import Glibc
import Synchronization
import Testing

@testable import SluiceIO

@Suite final class LineWriterTests: Sendable {
    private let told = Mutex<[LineWriter.Trouble]>([])

    private func writer(_ path: String, limit: Int = 1 << 20) throws -> LineWriter {
        LineWriter(try AppendedFile(.path(path)), limit: limit) { [self] trouble, _ in
            told.withLock { $0.append(trouble) }
        }
    }

    private func text(_ folder: Folder, _ name: String) throws -> String {
        String(decoding: try FileContent.read("\(folder.path)/\(name)"), as: UTF8.self)
    }

    @Test func `lines of many threads are whole, and all are there when it has finished`() throws {
        let folder = Folder()
        let writer = try writer(folder.path + "/a")
        let threads = (0..<4).map { thread in
            LoopThread(name: "test") {
                for number in 0..<500 {
                    writer.post(Array("\(thread) \(number)\n\(thread) again\n".utf8), lines: 2)
                }
            }
        }
        for thread in threads { thread.join() }
        writer.finish(withinMilliseconds: 20_000)
        let lines = try text(folder, "a").split(separator: "\n")
        #expect(lines.count == 4000)
        for thread in 0..<4 {
            #expect(
                lines.filter { $0.hasPrefix("\(thread) ") && !$0.hasSuffix("again") }.map(String.init)
                    == (0..<500).map { "\(thread) \($0)" })
        }
        #expect(writer.takeLost() == 0)
    }

    @Test func `a file is made with mode 0640, and appended to`() throws {
        let folder = Folder()
        for _ in 0..<2 {
            let writer = try writer(folder.path + "/a")
            writer.post(Array("a\n".utf8), lines: 1)
            writer.finish(withinMilliseconds: 20_000)
        }
        #expect(try text(folder, "a") == "a\na\n")
        var status = stat()
        #expect(unsafe stat(folder.path + "/a", &status) == 0)
        #expect(status.st_mode & 0o777 & 0o137 == 0)
    }

    @Test func `a pipe that nobody reads costs lines and never holds up`() throws {
        let folder = Folder()
        try #require(unsafe mkfifo(folder.path + "/a", 0o600) == 0)
        let reader = unsafe open(folder.path + "/a", O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        let writer = try writer(folder.path + "/a", limit: 300_000)
        let line = Array((String(repeating: "x", count: 9_999) + "\n").utf8)
        for _ in 0..<100 { writer.post(line, lines: 1) }
        let lost = writer.takeLost()
        #expect(lost >= 60 && lost < 100)
        #expect(told.withLock { $0 } == [.behind], "once a minute")
        #expect(writer.takeLost() == 0)
        writer.finish(withinMilliseconds: 1)
    }

    @Test func `a full disk costs lines, is told, and ends nothing`() throws {
        let writer = try writer("/dev/full")
        for _ in 0..<3 { writer.post(Array("a\nb\n".utf8), lines: 2, tellingOf: 5) }
        writer.finish(withinMilliseconds: 20_000)
        #expect(told.withLock { $0 } == [.cannotWrite(.noSpace)])
        #expect(writer.takeLost() == 3 * 7, "what they told of is not told yet")
    }

    @Test func `a pipe whose reader went away is told, whatever the program does with SIGPIPE`() throws {
        let folder = Folder()
        try #require(unsafe mkfifo(folder.path + "/a", 0o600) == 0)
        let reader = unsafe open(folder.path + "/a", O_RDONLY | O_NONBLOCK)
        let writer = try writer(folder.path + "/a")
        close(reader)
        writer.post(Array("a\n".utf8), lines: 1)
        writer.finish(withinMilliseconds: 20_000)
        #expect(told.withLock { $0 } == [.cannotWrite(.brokenPipe)])
    }

    @Test func `a file that was renamed is opened again when told`() throws {
        let folder = Folder()
        var file = try AppendedFile(.path(folder.path + "/a"))
        #expect(file.append(Array("1\n".utf8)) { false } == .written)
        try file.reopenIfMoved()
        #expect(unsafe rename(folder.path + "/a", folder.path + "/b") == 0)
        #expect(file.append(Array("2\n".utf8)) { false } == .written)
        try file.reopenIfMoved()
        #expect(file.append(Array("3\n".utf8)) { false } == .written)
        #expect(unsafe unlink(folder.path + "/a") == 0)
        try file.reopen()
        #expect(file.append(Array("4\n".utf8)) { false } == .written)
        #expect(try text(folder, "b") == "1\n2\n")
        #expect(try text(folder, "a") == "4\n")
    }

    @Test func `where opening again fails the old file stays in use`() throws {
        let folder = Folder()
        let inner = folder.path + "/gone"
        #expect(unsafe mkdir(inner, 0o700) == 0)
        var file = try AppendedFile(.path(inner + "/a"))
        #expect(unsafe rename(inner + "/a", folder.path + "/b") == 0)
        #expect(unsafe rmdir(inner) == 0)
        #expect(throws: Errno.notFound) { try file.reopenIfMoved() }
        #expect(file.append(Array("1\n".utf8)) { false } == .written)
        #expect(try text(folder, "b") == "1\n")
    }
}
