import Testing

@testable import SluiceIO

struct ResolverDeskTests {
    private func waiter(deadline: UInt64 = 100) -> ResolverDesk.Waiter {
        ResolverDesk.Waiter(port: 80, deadline: deadline) { _ in }
    }

    /// A desk that has seen these names outlive their deadline.
    private func desk(threads: Int, slow: [String]) -> ResolverDesk {
        var desk = ResolverDesk(threads: threads, capacity: 10)
        for host in slow {
            #expect(desk.add(waiter(deadline: 1), for: host) == nil)
            #expect(desk.begin() == host)
            #expect(desk.expire(atMilliseconds: 1).count == 1)
            #expect(desk.finish(host, isLate: true).isEmpty)
        }
        return desk
    }

    @Test func `names are begun in the order they came, each once`() {
        var desk = ResolverDesk(threads: 2, capacity: 10)
        for host in ["b", "a", "b", "c"] { #expect(desk.add(waiter(), for: host) == nil) }
        #expect(desk.waiting == 4)
        #expect(desk.begin() == "b")
        #expect(desk.begin() == "a")
        #expect(desk.add(waiter(), for: "b") == nil)
        #expect(desk.finish("b", isLate: false).count == 3)
        #expect(desk.waiting == 2)
        #expect(desk.begin() == "c")
        #expect(desk.begin() == nil)
    }

    @Test func `names that were too slow leave one thread free, and come last`() {
        var desk = desk(threads: 2, slow: ["slow1", "slow2"])
        for host in ["slow1", "slow2", "good"] { #expect(desk.add(waiter(), for: host) == nil) }
        #expect(desk.begin() == "good")
        #expect(desk.begin() == "slow1")
        #expect(desk.begin() == nil)
        #expect(desk.finish("slow1", isLate: true).count == 1)
        #expect(desk.begin() == "slow2")
    }

    @Test func `a name that is quick again is trusted again`() {
        var desk = desk(threads: 2, slow: ["slow1", "slow2"])
        for host in ["slow1", "slow2"] {
            #expect(desk.add(waiter(), for: host) == nil)
            #expect(desk.begin() == host)
            #expect(desk.finish(host, isLate: false).count == 1)
        }
        for host in ["slow1", "slow2"] { #expect(desk.add(waiter(), for: host) == nil) }
        #expect(desk.begin() == "slow1")
        #expect(desk.begin() == "slow2")
    }

    @Test func `with one thread even slow names are looked up`() {
        var desk = desk(threads: 1, slow: ["slow"])
        #expect(desk.add(waiter(), for: "slow") == nil)
        #expect(desk.begin() == "slow")
    }

    @Test func `only those whose deadline has passed are taken out`() {
        var desk = ResolverDesk(threads: 1, capacity: 10)
        #expect(desk.add(waiter(deadline: 5), for: "a") == nil)
        #expect(desk.add(waiter(deadline: 7), for: "a") == nil)
        #expect(desk.add(waiter(deadline: 6), for: "b") == nil)
        #expect(desk.nextDeadline == 5)
        #expect(desk.expire(atMilliseconds: 4).isEmpty)
        #expect(desk.expire(atMilliseconds: 6).map(\.deadline).sorted() == [5, 6])
        #expect(desk.waiting == 1)
        #expect(desk.nextDeadline == 7)
        // Nobody waits for b any more, so it is not looked up.
        #expect(desk.begin() == "a")
        #expect(desk.begin() == nil)
    }

    @Test func `no room, and a stop, are told apart`() {
        var desk = ResolverDesk(threads: 1, capacity: 1)
        #expect(desk.add(waiter(), for: "a") == nil)
        #expect(desk.add(waiter(), for: "a") == .busy)
        #expect(desk.begin() == "a")
        #expect(desk.stop().count == 1)
        #expect(desk.add(waiter(), for: "a") == .stopped)
        #expect(desk.finish("a", isLate: false).isEmpty)
        #expect(desk.waiting == 0)
    }
}
