import SluiceIO
import Synchronization
import Testing

/// Collects answers; `next` waits for one.
private final class Answers: Sendable {
    typealias Answer = Result<[SocketAddress], ResolveError>
    private let box: Mailbox<Answer>
    private let kept = Mutex<[Answer]>([])

    init() throws { box = try Mailbox() }

    var done: Resolver.Completion { { [box] in box.post($0) } }

    func next() throws -> Answer {
        while true {
            if let answer = kept.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { return answer }
            try wait(for: box.descriptor, .read)
            var messages: [Answer] = []
            box.take(into: &messages)
            kept.withLock { $0 += messages }
        }
    }

    /// Whether something came that was not asked for.
    var isEmpty: Bool {
        var messages: [Answer] = []
        box.take(into: &messages)
        return messages.isEmpty && kept.withLock(\.isEmpty)
    }
}

/// A look-up that hangs for names that begin with "dead" until it is let go.
private final class Names: Sendable {
    private let gate: Mailbox<Int>
    private let started: Mailbox<String>
    private let log = Mutex<[String]>([])

    init() throws {
        gate = try Mailbox()
        started = try Mailbox()
    }

    var lookup: Resolver.Lookup {
        { [self] host in
            log.withLock { $0.append(host) }
            if host.hasPrefix("dead") {
                started.post(host)
                _ = try? wait(for: gate.descriptor, .read)
                return .failure(.temporary)
            }
            return host.hasPrefix("none") ? .failure(.notFound) : .success([.loopbackV4, .loopbackV6])
        }
    }

    /// Waits until a dead name's look-up has begun.
    func waitForDead() throws {
        try wait(for: started.descriptor, .read)
        var hosts: [String] = []
        started.take(into: &hosts)
    }

    func letGo() { gate.post(0) }
    var asked: [String] { log.withLock { $0 } }
}

struct ResolverTests {
    private let answers: Answers
    private let names: Names

    init() throws {
        answers = try Answers()
        names = try Names()
    }

    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80"), ("[::1]", "[::1]:80"), ("::ffff:1.2.3.4", "1.2.3.4:80"),
    ])
    func `a literal address is answered at once`(_ host: String, _ expected: String) throws {
        let resolver = Resolver(lookup: names.lookup)
        let count = Mutex(0)
        resolver.resolve(host: host, port: 80) { answer in
            #expect((try? answer.get())?.map(\.description) == [expected])
            count.withLock { $0 += 1 }
        }
        #expect(count.withLock { $0 } == 1)
        #expect(names.asked.isEmpty)
    }

    @Test func `a name is answered with the port, in the order of the look-up`() throws {
        let resolver = Resolver(lookup: names.lookup)
        resolver.resolve(host: "Good.Example", port: 443, answers.done)
        #expect(try answers.next().get() == [.ip(.loopbackV4, port: 443), .ip(.loopbackV6, port: 443)])
        resolver.resolve(host: "none", port: 1, answers.done)
        #expect(try answers.next() == .failure(.notFound))
        #expect(names.asked == ["good.example", "none"])
    }

    @Test(arguments: ["", "a b", "a\0b", "fe80::1%eth0", "a:b", "1:2:3", String(repeating: "x", count: 300)])
    func `what cannot be a name is refused at once`(_ host: String) throws {
        let resolver = Resolver(lookup: names.lookup)
        resolver.resolve(host: host, port: 80, answers.done)
        #expect(try answers.next() == .failure(.invalidName))
        #expect(names.asked.isEmpty)
    }

    @Test func `one dead name blocks nobody, however many ask for it`() throws {
        let resolver = Resolver(lookup: names.lookup)
        let dead = try Answers()
        for _ in 0..<10 { resolver.resolve(host: "dead", port: 80, dead.done) }
        try names.waitForDead()
        for _ in 0..<20 {
            resolver.resolve(host: "good", port: 80, answers.done)
            #expect(try answers.next().get().count == 2)
        }
        names.letGo()
        for _ in 0..<10 { #expect(try dead.next() == .failure(.temporary)) }
        #expect(names.asked.filter { $0 == "dead" }.count == 1)
    }

    @Test func `at the deadline the caller is told, once, and a late answer is dropped`() throws {
        let resolver = Resolver(threads: 1, deadline: .milliseconds(1), lookup: names.lookup)
        resolver.resolve(host: "dead", port: 80, answers.done)
        #expect(try answers.next() == .failure(.timedOut))
        names.letGo()
        // An answer from the only thread proves that the late one is behind us.
        let later = try Answers()
        repeat { resolver.resolve(host: "good", port: 80, later.done) } while try later.next() == .failure(.timedOut)
        #expect(answers.isEmpty)
    }

    @Test func `more callers than the queue holds are refused at once`() throws {
        let resolver = Resolver(threads: 1, queue: 3, lookup: names.lookup)
        let dead = try Answers()
        for _ in 0..<3 { resolver.resolve(host: "dead", port: 80, dead.done) }
        resolver.resolve(host: "good", port: 80, answers.done)
        #expect(try answers.next() == .failure(.busy))
        names.letGo()
        for _ in 0..<3 { #expect(try dead.next() == .failure(.temporary)) }
        resolver.resolve(host: "good", port: 80, answers.done)
        #expect(try answers.next().get().count == 2)
    }

    @Test func `a stop fails all who wait, once, and all who come later`() throws {
        let resolver = Resolver(threads: 1, lookup: names.lookup)
        resolver.resolve(host: "dead", port: 80, answers.done)
        try names.waitForDead()
        resolver.resolve(host: "good", port: 80, answers.done)
        resolver.stop()
        resolver.stop()
        #expect(try answers.next() == .failure(.stopped))
        #expect(try answers.next() == .failure(.stopped))
        resolver.resolve(host: "good", port: 80, answers.done)
        #expect(try answers.next() == .failure(.stopped))
        names.letGo()
        #expect(answers.isEmpty)
    }

    @Test func `a resolver that goes away fails those who wait`() throws {
        do {
            let resolver = Resolver(lookup: names.lookup)
            resolver.resolve(host: "dead", port: 80, answers.done)
            try names.waitForDead()
        }
        #expect(try answers.next() == .failure(.stopped))
        names.letGo()
    }

    @Test func `the system knows localhost`() throws {
        let resolver = Resolver(deadline: .seconds(60))
        resolver.resolve(host: "localhost", port: 80, answers.done)
        let addresses = try answers.next().get()
        #expect(!addresses.isEmpty && addresses.allSatisfy { $0.ip?.isLoopback == true && $0.port == 80 })
    }

    @Test func `a name that cannot exist is an answer, not a crash`() throws {
        let resolver = Resolver(deadline: .seconds(60))
        resolver.resolve(host: "nothing.invalid", port: 80, answers.done)
        let answer = try answers.next()
        #expect(throws: ResolveError.self) { try answer.get() }
    }
}
