import SluiceIO
import Synchronization
import Testing

struct MailboxTests {
    private func wakes(_ box: Mailbox<Int>) throws -> Bool {
        let selector = try Selector()
        try selector.add(box.descriptor, .read, token: 1)
        return try selector.wait(timeoutMilliseconds: 0) == 1
    }

    @Test func `messages come out once, in their order`() throws {
        let box = try Mailbox<Int>()
        box.post(1)
        box.post(contentsOf: [2, 3])
        box.post(4)
        var messages = [99]
        box.take(into: &messages)
        #expect(messages == [1, 2, 3, 4])
        box.take(into: &messages)
        #expect(messages.isEmpty)
    }

    @Test func `an empty box is silent, a full one wakes until it is taken`() throws {
        let box = try Mailbox<Int>()
        #expect(try !wakes(box))
        box.post(contentsOf: [])
        #expect(try !wakes(box))
        box.post(1)
        #expect(try wakes(box))
        #expect(try wakes(box))
        var messages: [Int] = []
        box.take(into: &messages)
        #expect(try !wakes(box))
    }

    @Test func `a wake-up that is owed can be paid later, or becomes needless`() throws {
        let box = try Mailbox<Int>()
        var messages: [Int] = []
        #expect(box.post(1, wake: false))
        #expect(box.post(2, wake: false))
        #expect(try !wakes(box))
        box.wake()
        #expect(try wakes(box))
        #expect(!box.post(3, wake: false))
        box.take(into: &messages)
        #expect(messages == [1, 2, 3])

        #expect(box.post(4, wake: false))
        box.take(into: &messages)
        box.wake()
        #expect(try !wakes(box))
        #expect(!box.post(5))
        #expect(try wakes(box))
    }

    @Test func `of a thousand messages from several threads none is lost, and each batch wakes once`() throws {
        let box = try Mailbox<Int>()
        let selector = try Selector()
        try selector.add(box.descriptor, .read, token: 1)
        let threads = (0..<4).map { sender in
            LoopThread(name: "sender") {
                for number in 0..<250 {
                    if number % 2 == 0 {
                        box.post(sender * 1000 + number)
                    } else if box.post(sender * 1000 + number, wake: false) {
                        box.wake()
                    }
                }
            }
        }
        var next = [0, 0, 0, 0]
        var messages: [Int] = []
        while next.reduce(0, +) < 1000 {
            try #require(try selector.wait(timeoutMilliseconds: 20_000) == 1)
            box.take(into: &messages)
            // A wake-up without mail would be a second one for the same batch.
            #expect(!messages.isEmpty)
            for message in messages {
                #expect(message % 1000 == next[message / 1000])
                next[message / 1000] += 1
            }
        }
        for thread in threads { thread.join() }
        #expect(try selector.wait(timeoutMilliseconds: 0) == 0)
    }

    @Test func `what nobody took is freed with the box`() throws {
        final class Flag: Sendable {
            let freed: Mutex<Int>
            init(_ value: Int) { freed = Mutex(value) }
        }
        weak var flag: Flag?
        do {
            let box = try Mailbox<Flag>()
            let made = Flag(0)
            flag = made
            box.post(made)
        }
        #expect(flag == nil)
    }
}
