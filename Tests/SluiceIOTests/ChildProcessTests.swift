import Glibc
import SluiceIO
import Testing

@Suite struct ChildProcessTests {
    private func start(
        _ arguments: String..., directory: String? = nil, environment: [String: String] = [:]
    ) throws -> ChildProcess {
        let program = try ChildProcess.find(arguments[0], directory: directory, environment: environment)
        return try ChildProcess(
            .init(program: program, arguments: arguments, directory: directory, environment: environment))
    }

    /// Reads a stream to its end.
    private func all(_ child: ChildProcess, _ stream: ChildProcess.Stream = .output) throws -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            switch unsafe buffer.withUnsafeMutableBytes({ unsafe child.read(stream, into: $0) }) {
            case .bytes(let count): bytes += buffer[..<count]
            case .wouldBlock: try wait(for: child.descriptor(of: stream), .read)
            case .end: return String(decoding: bytes, as: UTF8.self)
            case .failed(let errno): throw errno
            }
        }
    }

    private func ending(_ child: ChildProcess) throws -> ChildProcess.Ending? {
        try wait(for: child.descriptor, .read)
        return child.ending
    }

    /// Whether a process is there; one that nobody waited for yet counts as gone.
    private func isAlive(_ pid: Int32) -> Bool {
        guard let bytes = try? FileContent.read("/proc/\(pid)/stat") else { return false }
        let state = String(decoding: bytes, as: UTF8.self).split(separator: ")").last?.split(separator: " ").first
        return state != "Z" && state != "X"
    }

    @Test func `output, errors and exit status are told apart`() throws {
        let child = try start("sh", "-c", "echo out; echo err >&2; exit 3")
        #expect(try all(child) == "out\n")
        #expect(try all(child, .errors) == "err\n")
        #expect(try ending(child) == .exited(status: 3))
        // Still so when it is asked again: nobody else has got its number.
        #expect(child.ending == .exited(status: 3))
    }

    @Test func `arguments are passed as they are, without a shell`() throws {
        let child = try start("printf", "%s|", "$HOME", "a b", "*", "", "é;ls")
        #expect(try all(child) == "$HOME|a b|*||é;ls|")
    }

    @Test func `the environment is inherited and can be overridden, PATH for the search too`() throws {
        _ = unsafe setenv("SLUICE_TEST_KEPT", "kept", 1)
        _ = unsafe setenv("SLUICE_TEST_REPLACED", "old", 1)
        let child = try start(
            "sh", "-c", "echo $SLUICE_TEST_KEPT $SLUICE_TEST_REPLACED $SLUICE_TEST_NEW",
            environment: ["SLUICE_TEST_REPLACED": "new", "SLUICE_TEST_NEW": "a=b"])
        #expect(try all(child) == "kept new a=b\n")
        #expect(throws: Errno.notFound) { try ChildProcess.find("sh", environment: ["PATH": "/proc:relative:"]) }
    }

    @Test func `it runs in the directory given, and a relative program starts there`() throws {
        #expect(try all(try start("pwd", directory: "/usr")) == "/usr\n")
        #expect(try all(try start("./env", "pwd", directory: "/usr/bin")) == "/usr/bin\n")
    }

    @Test func `what cannot be started says why`() throws {
        #expect(throws: Errno.notFound) { try ChildProcess.find("no-such-program-here") }
        #expect(throws: Errno.notFound) { try ChildProcess.find("") }
        #expect(throws: Errno.accessDenied) { try ChildProcess.find("/etc/passwd") }
        #expect(throws: Errno.accessDenied) { try ChildProcess.find("/etc") }
        #expect(throws: ChildProcess.StartError.directory("/no/such", .notFound)) {
            try start("true", directory: "/no/such")
        }
        let folder = Folder()
        let script = "\(folder.path)/a"
        let file = unsafe try #require(fopen(script, "w"))
        _ = unsafe fputs("echo a script without its first line\n", file)
        _ = unsafe fclose(file)
        _ = unsafe chmod(script, 0o755)
        #expect(throws: ChildProcess.StartError.program(script, Errno(ENOEXEC))) { try start(script) }
    }

    @Test func `it has nothing to read, and no descriptor but its three`() throws {
        // Not close-on-exec, as those of a program that embeds this may be.
        let leaked = dup(1)
        defer { close(leaked) }
        let child = try start("sh", "-c", "read line; echo $?; ls /proc/$$/fd")
        #expect(try all(child) == "1\n0\n1\n2\n")
    }

    @Test func `no signal is blocked or ignored in it`() throws {
        Signals.ignoreBrokenPipe()
        let signals = try Signals([SIGUSR1])
        defer { _ = signals.take() }
        let child = try start("grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status")
        // But for 32 and 33, which are glibc's own.
        for line in try all(child).split(separator: "\n") {
            let set = try #require(UInt64(line.drop { $0 != "\t" }.dropFirst(), radix: 16))
            #expect(set & ~0x1_8000_0000 == 0, "\(line)")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `the group is ended with what the program started`() throws {
        let child = try start("sh", "-c", "sleep 1000 & echo $!; sleep 1000")
        try wait(for: child.descriptor(of: .output), .read)
        var buffer = [UInt8](repeating: 0, count: 100)
        guard case .bytes(let count) = unsafe buffer.withUnsafeMutableBytes({ unsafe child.read(.output, into: $0) })
        else { throw Errno.invalid }
        let grandchild = try #require(Int32(String(decoding: buffer[..<(count - 1)], as: UTF8.self)))
        #expect(isAlive(grandchild))
        #expect(child.ending == nil)
        child.terminate()
        // Only when all of the group are gone is there nobody who holds the pipe.
        #expect(try all(child) == "")
        #expect(try ending(child) == .signalled(SIGTERM))
        child.end()
        // It let go of the pipe a moment before it was gone.
        while isAlive(grandchild) { sched_yield() }
        // Nothing of it is left, no zombie either.
        #expect(kill(child.pid, 0) == -1)
    }

    @Test func `a program that does not listen is killed, and leaves with its owner`() throws {
        var child: ChildProcess? = try start("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1000; done")
        let pid = try #require(child?.pid)
        try wait(for: child?.descriptor(of: .output) ?? -1, .read)
        child?.terminate()
        #expect(child?.ending == nil)
        child = nil
        #expect(kill(pid, 0) == -1)
    }

    @Test func `it ends with the thread that started it`() throws {
        let (reading, writing) = try pipe()
        let thread = LoopThread(name: "starter") {
            guard let child = try? start("sleep", "1000") else { return }
            var pid = child.pid
            _ = unsafe write(writing, &pid, 4)
            // Kept beyond the thread's end: it is the kernel that has to end it.
            unsafe _ = Unmanaged.passRetained(child)
        }
        thread.join()
        var pid: Int32 = 0
        let count = unsafe read(reading, &pid, 4)
        #expect(count == 4)
        close(reading)
        close(writing)
        var info = unsafe siginfo_t()
        let result = unsafe waitid(P_PID, id_t(pid), &info, WEXITED)
        #expect(result == 0)
        unsafe #expect(info.si_code == CLD_KILLED)
    }

    private func pipe() throws -> (Int32, Int32) {
        var ends: [Int32] = [0, 0]
        let result = unsafe Glibc.pipe(&ends)
        try #require(result == 0)
        return (ends[0], ends[1])
    }

    @Test func `what a grandchild holds open is no end, but the program's own end is seen`() throws {
        let child = try start("sh", "-c", "echo one; sleep 1000 & exit 0")
        #expect(try ending(child) == .exited(status: 0))
        var buffer = [UInt8](repeating: 0, count: 100)
        #expect(unsafe buffer.withUnsafeMutableBytes({ unsafe child.read(.output, into: $0) }) == .bytes(4))
        #expect(unsafe buffer.withUnsafeMutableBytes({ unsafe child.read(.output, into: $0) }) == .wouldBlock)
        child.kill()
        #expect(try all(child) == "")
    }
}
