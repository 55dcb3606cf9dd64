import Testing

@testable import Sluice

@Suite(.timeLimit(.minutes(1))) struct SourceInboxTests {
    @Test func `a restart that a 204 overtakes undoes the stop all the same`() async {
        let inbox = SourceInbox(limit: 1000)
        #expect(inbox.reopen())
        // The loop had the answer already when it was asked to restart.
        #expect(!inbox.put([], .closed))
        inbox.restarted()
        #expect(inbox.readyState == .connecting)
        #expect(!inbox.put([.comment("x")]))
        #expect(await inbox.next().item == .comment("x"))
        // Nothing is there: it waits, and is not told that it is over.
        let waiting = Task { await inbox.next().item }
        for _ in 0..<100 { await Task.yield() }
        #expect(!inbox.put([.comment("y")]))
        #expect(await waiting.value == .comment("y"))
    }

    @Test func `a close is not undone`() async {
        let inbox = SourceInbox(limit: 1000)
        #expect(inbox.close())
        #expect(!inbox.reopen())
        inbox.restarted()
        #expect(inbox.readyState == .closed)
        #expect(!inbox.put([.comment("x")], .open))
        #expect(await inbox.next().item == nil)
    }
}
