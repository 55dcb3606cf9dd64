import Testing

@testable import Sluice

@Suite struct DedupeWindowTests {
    /// One connection: `1 2` gives each id's verdict as `n`ew, `d`uplicate or `r`epeated.
    private func connection(_ window: inout DedupeWindow, _ ids: String) -> String {
        window.connected()
        return String(
            ids.split(separator: " ").map { id -> Character in
                switch window.admit(Array(id.utf8)) {
                case .new: "n"
                case .duplicate: "d"
                case .repeated: "r"
                }
            })
    }

    @Test func `what is sent again after a reconnect is dropped, until the first new id`() {
        var window = DedupeWindow(size: 10)
        #expect(connection(&window, "1 2 3") == "nnn")
        #expect(connection(&window, "2 3 4 5") == "ddnn")
        #expect(connection(&window, "6 3 4") == "nnn")
    }

    @Test func `a resume that sends only what is new drops nothing`() {
        var window = DedupeWindow(size: 10)
        #expect(connection(&window, "1 2") == "nn")
        #expect(connection(&window, "3 1") == "nn")
    }

    @Test func `nothing is dropped in the first connection`() {
        var window = DedupeWindow(size: 10)
        #expect(connection(&window, "1 2 3") == "nnn")
        #expect(!window.isOff)
    }

    @Test func `an upstream that repeats an id in one connection is left alone, and that is said once`() {
        var window = DedupeWindow(size: 10)
        #expect(connection(&window, "1 1 1 2") == "nrnn")
        #expect(window.isOff)
        #expect(connection(&window, "1 1 2") == "nnn")
    }

    @Test func `an upstream that always sends one id loses at most one event`() {
        var window = DedupeWindow(size: 10)
        #expect(connection(&window, "x") == "n")
        #expect(connection(&window, "x x x") == "drn")
    }

    @Test func `an empty or overlong id is none`() {
        var window = DedupeWindow(size: 10)
        window.connected()
        let long = [UInt8](repeating: 0x61, count: StreamRequest.longestID + 1)
        #expect(window.admit([]) == .new)
        #expect(window.admit([]) == .new)
        #expect(window.admit(long) == .new)
        #expect(window.admit(long) == .new)
    }

    @Test func `the window forgets the oldest`() {
        var window = DedupeWindow(size: 3)
        #expect(connection(&window, "1 2 3 4") == "nnnn")
        #expect(connection(&window, "2 3 4 5") == "dddn")
        // 2 had to go for 5.
        #expect(connection(&window, "2") == "n")
    }

    @Test func `the window is bounded in bytes too`() {
        var window = DedupeWindow(size: 1 << 20)
        window.connected()
        func id(_ number: Int) -> [UInt8] {
            [UInt8](repeating: 0x61, count: StreamRequest.longestID - 8) + Array("\(10_000_000 + number)".utf8)
        }
        for number in 0..<1000 { #expect(window.admit(id(number)) == .new) }
        window.connected()
        #expect(window.admit(id(999)) == .duplicate)
        #expect(window.admit(id(0)) == .new)
    }

    @Test func `a window of no size drops nothing`() {
        var window = DedupeWindow(size: 0)
        #expect(connection(&window, "1 1") == "nn")
        #expect(connection(&window, "1 1") == "nn")
    }

    @Test func `a long life does not confuse it`() {
        var window = DedupeWindow(size: 100)
        window.connected()
        for number in 0..<10_000 { #expect(window.admit(Array("\(number)".utf8)) == .new) }
        #expect(connection(&window, "9899 9900 9999 10000") == "nnnn")
        #expect(connection(&window, "9903 10000 10001") == "ddn")
    }
}
