import Foundation
import SluiceIO
import SluiceTestSupport
import Testing

@testable import Sluice

/// How an `EventSource` ends, and what it holds while nobody reads.
@Suite(.timeLimit(.minutes(2))) struct EventSourceLifeTests {
    @Test func `close ends the connection and the sequences, and drops what waits`() async throws {
        let server = try RawServer()
        let source = try server.source()
        let connection = try await server.accept()
        try await connection.stream("data: one\n\ndata: two\n\n")
        var events = source.events.makeAsyncIterator()
        #expect(await events.next() == ReceivedEvent("one"))
        source.close()
        #expect(source.readyState == .closed)
        #expect(await events.next() == nil)
        _ = try await connection.readToEnd()
        source.close()
        source.restart()
        #expect(source.readyState == .closed)
    }

    @Test func `close wakes whoever waits`() async throws {
        let server = try RawServer()
        let source = try server.source()
        let waiting = (0..<3).map { _ in
            Task {
                for await _ in source.items {}
            }
        }
        _ = try await server.accept()
        source.close()
        for task in waiting { await task.value }
    }

    @Test func `a cancel of the task that iterates ends the connection`() async throws {
        let server = try RawServer()
        let source = try server.source()
        let task = Task {
            var count = 0
            for await _ in source.events { count += 1 }
            return count
        }
        let connection = try await server.accept()
        try await connection.stream(": hi\n")
        task.cancel()
        #expect(await task.value == 0)
        #expect(source.readyState == .closed)
        _ = try await connection.readToEnd()
        // A task that is cancelled already gets nothing either.
        let late = try server.source()
        let second = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            for await _ in late.events { return false }
            return true
        }
        #expect(await second.value)
        #expect(late.readyState == .closed)
    }

    @Test func `a source that nobody holds is gone, with its connection and its thread`() async throws {
        let server = try RawServer()
        let (inbox, thread, connection) = try await abandoned(by: server)
        _ = try await connection.readToEnd()
        while inbox.value != nil || thread.value != nil { await Task.yield() }
    }

    private struct Weak<Object: AnyObject> { weak var value: Object? }

    /// What is left of a source, of a thread of its own, that was read and then dropped.
    private func abandoned(by server: RawServer) async throws -> (Weak<SourceInbox>, Weak<SourceThread>, RawClient) {
        let thread = try SourceThread()
        let source = try EventSource(url: server.url(), options: EventSourceOptions(), thread: thread)
        let connection = try await server.accept()
        try await connection.stream("data: one\n\n")
        for await event in source.events {
            #expect(event.data == "one")
            break
        }
        return (Weak(value: source.inbox), Weak(value: thread), connection)
    }

    @Test func `a loop over a source that nobody else holds keeps it`() async throws {
        let server = try RawServer()
        async let sum = {
            var sum = 0
            for await event in try server.source().events {
                sum += Int(event.data) ?? 0
                if event.type == "last" { break }
            }
            return sum
        }()
        for number in 1...3 {
            let connection = try await server.accept()
            try await connection.stream("data: \(number)\n\n\(number == 3 ? "event: last\ndata\n\n" : "")")
            try await connection.finishSending()
        }
        #expect(try await sum == 6)
    }

    @Test func `who does not read stops the server, and nothing is lost`() async throws {
        let server = try RawServer()
        let source = try server.source { $0.bufferLimit = 20_000 }
        let connection = try await server.accept()
        let line = String(repeating: "x", count: 1000)
        let count = 20_000
        let sending = Task {
            try await connection.stream()
            for start in stride(from: 0, to: count, by: 100) {
                try await connection.send((start..<start + 100).map { "id: \($0)\ndata: \(line)\n\n" }.joined())
            }
            try await connection.finishSending()
        }
        while !source.inbox.load.isHalted { await Task.yield() }
        // Little more than the limit: one read, in which each event is counted with what it takes beside its text.
        let most = 20_000 + 2 * LoopContext.inputSize
        var number = 0
        for await event in source.events {
            #expect(source.inbox.load.bytes <= most)
            #expect(event == ReceivedEvent(line, lastEventID: "\(number)"))
            number += 1
            if number == count { break }
        }
        try await sending.value
    }

    @Test func `a server that nobody listens to is not asked again and again`() async throws {
        let server = try RawServer()
        let source = try server.source { $0.bufferLimit = 1 }
        var items = source.items.makeAsyncIterator()
        for _ in 0..<3 {
            // Each error fills the buffer: there is exactly one attempt for each item taken.
            _ = try await server.accept()
            while !source.inbox.load.isHalted { await Task.yield() }
            #expect(await items.next()?.error?.kind == .connect)
        }
        _ = try await server.accept()
        while !source.inbox.load.isHalted { await Task.yield() }
        // A restart waits for room, too.
        source.restart()
        #expect(await items.next()?.error != nil)
        let connection = try await server.accept()
        try await connection.stream("data: one\n\ndata: two\n\n")
        #expect(await items.next()?.isOpened == true)
        #expect(await items.next() == .event(ReceivedEvent("one")))
        #expect(await items.next() == .event(ReceivedEvent("two")))
    }

    @Test func `many sources share a thread`() async throws {
        let server = try RawServer()
        let count = 200
        let sources = try (0..<count).map { _ in try server.source() }
        var connections: [RawClient] = []
        for _ in 0..<count {
            let connection = try await server.accept()
            try await connection.stream("data: hello\n\n")
            connections.append(connection)
        }
        let got = await withTaskGroup(of: Int.self) { group in
            for source in sources {
                group.addTask {
                    for await event in source.events where event.data == "hello" { return 1 }
                    return 0
                }
            }
            return await group.reduce(0, +)
        }
        #expect(got == count)
    }

    @Test func `a cancel may come at any moment`() async throws {
        try await withGateway(Configuration()) { _ in
            .eventStream(bufferLimit: 4096) { stream in
                while stream.isOpen { try await stream.send(ServerSentEvent("x")) }
            }
        } _: { gateway in
            let url = "http://127.0.0.1:\(gateway.port)/"
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        guard let source = try? EventSource(url: url) else { return }
                        let reader = Task {
                            for await _ in source.events {}
                        }
                        // Some before the first event, some while events pour in.
                        if number % 3 != 0 { while source.readyState != .open { await Task.yield() } }
                        if number % 3 == 2 { for _ in 0..<number { await Task.yield() } }
                        if number % 2 == 0 { source.restart() }
                        reader.cancel()
                        await reader.value
                    }
                }
            }
        }
    }

    @Test func `it reads a gateway of this process, over TLS`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let files = try DevelopmentFiles(directory: folder, names: DevelopmentFiles.standardNames)
        var configuration = Configuration()
        configuration.listeners = [ListenerOptions("127.0.0.1:0", tls: .development(directory: folder))]
        try await withGateway(configuration) { request in
            .eventStream { stream in
                try await stream.send(ServerSentEvent("hello", event: "greeting", id: request.lastEventID ?? "none"))
            }
        } _: { gateway in
            var options = EventSourceOptions()
            options.retry.initial = .milliseconds(1)
            // The system's authorities do not know this one.
            let distrusting = try EventSource(url: "https://localhost:\(gateway.port)/", options: options)
            var items = distrusting.items.makeAsyncIterator()
            #expect(await items.next()?.error?.kind == .certificate)
            distrusting.close()
            options.certificateAuthority = files.authority
            options.lastEventID = "5"
            options.rememberedIDs = 0
            let source = try EventSource(url: "https://localhost:\(gateway.port)/", options: options)
            var events = source.events.makeAsyncIterator()
            for _ in 0..<2 {
                #expect(await events.next() == ReceivedEvent("hello", type: "greeting", lastEventID: "5"))
            }
        }
    }
}
