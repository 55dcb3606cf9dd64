import SluiceIO
import Testing

struct SelectorTests {
    let folder = Folder()
    let selector: Selector

    init() throws { selector = try Selector() }

    private func ready() throws -> [UInt64: Selector.Events] {
        var found: [UInt64: Selector.Events] = [:]
        for index in 0..<(try selector.wait(timeoutMilliseconds: 0)) {
            found[selector[index].token] = selector[index].events
        }
        return found
    }

    @Test(arguments: Family.allCases)
    func `tokens come back as they were given`(_ family: Family) throws {
        let pair = try Pair(family, in: folder)
        try selector.add(pair.near.rawValue, .write, token: 0xdead_beef_0123_4567)
        try selector.add(pair.far.rawValue, .write, token: 0)
        #expect(try ready() == [0xdead_beef_0123_4567: .write, 0: .write])
    }

    @Test(arguments: Family.allCases)
    func `readiness is told until it is used up`(_ family: Family) throws {
        let pair = try Pair(family, in: folder)
        try selector.add(pair.far.rawValue, .read, token: 1)
        #expect(try ready().isEmpty)
        _ = pair.near.write("x")
        try wait(for: pair.far.rawValue, .read)
        #expect(try ready() == [1: .read])
        #expect(try ready() == [1: .read])
        _ = pair.far.read()
        #expect(try ready().isEmpty)
    }

    @Test(arguments: Family.allCases)
    func `the interest and the token can be changed, and taken back`(_ family: Family) throws {
        let pair = try Pair(family, in: folder)
        try selector.add(pair.near.rawValue, .read, token: 1)
        #expect(try ready().isEmpty)
        try selector.modify(pair.near.rawValue, [.read, .write], token: 2)
        #expect(try ready() == [2: .write])
        try selector.modify(pair.near.rawValue, [], token: 3)
        #expect(try ready().isEmpty)
        selector.remove(pair.near.rawValue)
        selector.remove(pair.near.rawValue)
        #expect(throws: Errno.notFound) { try selector.modify(pair.near.rawValue, .write, token: 4) }
    }

    @Test(arguments: Family.allCases)
    func `a peer that sent its last byte shows as readHangup, with no interest in reading too`(_ family: Family) throws
    {
        let pair = try Pair(family, in: folder)
        try selector.add(pair.far.rawValue, [], token: 1)
        pair.near.shutdownWrite()
        try wait(for: pair.far.rawValue, .read)
        #expect(try ready() == [1: .readHangup])
        try selector.modify(pair.far.rawValue, .read, token: 1)
        #expect(try ready() == [1: [.read, .readHangup]])
        try selector.modify(pair.far.rawValue, .withoutReadHangup, token: 1)
        #expect(try ready().isEmpty)
    }

    @Test(arguments: Family.allCases)
    func `a peer that closed shows as readHangup`(_ family: Family) throws {
        let pair = try Pair(family, in: folder)
        let near = pair.near
        let far = pair.far
        try selector.add(far.rawValue, .read, token: 1)
        _ = consume near
        try wait(for: far.rawValue, .read)
        let events = try #require(try ready()[1])
        #expect(events.isSuperset(of: [.read, .readHangup]))
        #expect(events.contains(.hangup) == (family == .unix))
    }

    @Test func `both directions over show as hangup`() throws {
        let pair = try Pair(.v4, in: folder)
        try selector.add(pair.far.rawValue, [], token: 1)
        pair.near.shutdownWrite()
        pair.far.shutdownWrite()
        try wait(for: pair.far.rawValue, .read)
        #expect(try ready() == [1: [.hangup, .readHangup]])
    }

    @Test func `a descriptor that was closed is heard of no more`() throws {
        let pair = try Pair(.v4, in: folder)
        let near = pair.near
        try selector.add(near.rawValue, .write, token: 1)
        _ = consume near
        #expect(try ready().isEmpty)
    }

    @Test func `a descriptor is added once`() throws {
        let pair = try Pair(.v4, in: folder)
        try selector.add(pair.near.rawValue, .read, token: 1)
        #expect(throws: Errno.self) { try selector.add(pair.near.rawValue, .read, token: 2) }
    }

    @Test func `an exclusive listener is watched, paused and watched again`() throws {
        let listener = try Listener.open(.unix(folder.path + "/a"), sharing: false)
        let copy = try listener.duplicate()
        try selector.add(copy.rawValue, [.read, .exclusive], token: 1)
        let client = try Socket.connecting(to: listener.boundAddress)
        try wait(for: listener.rawValue, .read)
        #expect(try ready() == [1: .read])
        try selector.modify(copy.rawValue, [], token: 1)
        #expect(try ready().isEmpty)
        try selector.modify(copy.rawValue, [.read, .exclusive], token: 2)
        #expect(try ready() == [2: .read])
        #expect(client.pendingError() == nil)
    }

    @Test func `more descriptors than one wait holds are all told of`() throws {
        DescriptorLimit.raise()
        var boxes: [Mailbox<Int>] = []
        for token in 0..<700 {
            let box = try Mailbox<Int>()
            box.post(token)
            try selector.add(box.descriptor, .read, token: UInt64(token))
            boxes.append(box)
        }
        var seen: Set<UInt64> = []
        while seen.count < 700 {
            let count = try selector.wait(timeoutMilliseconds: 0)
            try #require(count > 0 && count <= Selector.capacity)
            for index in 0..<count {
                let token = selector[index].token
                seen.insert(token)
                var messages: [Int] = []
                boxes[Int(token)].take(into: &messages)
                #expect(messages == [Int(token)])
            }
        }
        #expect(try selector.wait(timeoutMilliseconds: 0) == 0)
    }

    @Test func `watching a descriptor that is not open ends the process`() async {
        await #expect(processExitsWith: .failure) {
            try Selector().add(9999, .read, token: 1)
        }
    }
}
