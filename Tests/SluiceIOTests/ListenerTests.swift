import Glibc
import SluiceIO
import Testing

struct ListenerTests {
    let folder = Folder()

    @Test(arguments: Family.allCases)
    func `an idle listener would block`(_ family: Family) throws {
        let listener = try Listener.open(folder.address(of: family), sharing: false)
        guard case .wouldBlock = listener.accept() else {
            Issue.record("it did not")
            return
        }
    }

    @Test(arguments: Family.allCases)
    func `port 0 gives a real port`(_ family: Family) throws {
        let listener = try Listener.open(folder.address(of: family), sharing: true)
        #expect(listener.boundAddress.port != 0)
        #expect(listener.boundAddress.ip == folder.address(of: family).ip)
    }

    @Test(arguments: Family.allCases)
    func `what is accepted does not block`(_ family: Family) throws {
        let pair = try Pair(family, in: folder)
        let read = pair.far.read().0
        #expect(read == .wouldBlock)
        let flags = fcntl(pair.far.rawValue, F_GETFD)
        #expect(flags & FD_CLOEXEC != 0)
    }

    @Test(arguments: [Family.v4, .v6])
    func `a port in use is an error that names address and reason`(_ family: Family) throws {
        let first = try Listener.open(folder.address(of: family), sharing: false)
        let address = first.boundAddress
        let error = #expect(throws: ListenError.self) { _ = try Listener.open(address, sharing: false) }
        #expect(error?.reason == .portInUse)
        #expect(error?.description == "cannot listen on \(address): port in use")
        let shared = #expect(throws: ListenError.self) { _ = try Listener.open(address, sharing: true) }
        #expect(shared?.reason == .portInUse)
    }

    @Test func `listeners that share a port stand side by side, and a newcomer can ask before`() throws {
        let first = try Listener.open(.ip(.loopbackV4, port: 0), sharing: true)
        let address = first.boundAddress
        let second = try Listener.open(address, sharing: true)
        #expect(second.boundAddress == address)
        #expect(throws: ListenError.self) { try Listener.checkFree(address) }
        _ = consume first
        _ = consume second
        try Listener.checkFree(address)
    }

    @Test func `every address takes IPv4 and IPv6`() throws {
        let listener = try Listener.open(.listening(":0"), sharing: true)
        let port = try #require(listener.boundAddress.port)
        let v4 = try Socket.connecting(to: .ip(.loopbackV4, port: port))
        try wait(for: listener.rawValue, .read)
        guard case .accepted(_, let peer) = listener.accept() else {
            Issue.record("IPv4 was not accepted")
            return
        }
        #expect(peer == v4.localAddress)
        #expect(peer.ip == .loopbackV4)
        let v6 = try Socket.connecting(to: .ip(.loopbackV6, port: port))
        try wait(for: listener.rawValue, .read)
        guard case .accepted(_, let peer) = listener.accept() else {
            Issue.record("IPv6 was not accepted")
            return
        }
        #expect(peer == v6.localAddress)
    }

    @Test func `an address of another machine is refused with its reason`() throws {
        let address = SocketAddress.ip(try #require(IPAddress("192.0.2.1")), port: 0)
        let error = #expect(throws: ListenError.self) { _ = try Listener.open(address, sharing: false) }
        #expect(error?.reason == .addressNotAvailable)
        #expect(error?.description.hasPrefix("cannot listen on 192.0.2.1:0: no interface") == true)
    }

    @Test func `the file of a unix socket goes when the last of its listeners closes`() throws {
        let first = try Listener.open(.unix(folder.path + "/a"), sharing: false)
        let second = try first.duplicate()
        _ = consume first
        #expect(folder.exists("a"))
        let near = try Socket.connecting(to: second.boundAddress)
        let far = try take(from: second)
        #expect(near.peerAddress == far.localAddress)
        _ = consume second
        #expect(!folder.exists("a"))
    }

    @Test func `a unix socket that is alive is an error, and stays`() throws {
        let address = SocketAddress.unix(folder.path + "/a")
        let first = try Listener.open(address, sharing: false)
        let error = #expect(throws: ListenError.self) { _ = try Listener.open(address, sharing: false) }
        #expect(error?.reason == .portInUse)
        #expect(error?.description == "cannot listen on unix:\(folder.path)/a: another process listens there")
        let near = try Socket.connecting(to: address)
        #expect(near.peerAddress == first.boundAddress)
    }

    @Test func `a unix path that a dead process left behind is replaced`() throws {
        let path = folder.path + "/a"
        // Renamed away and back, the file outlives its listener, as it does a process that was killed.
        let first = try Listener.open(.unix(path), sharing: false)
        unsafe rename(path, folder.path + "/b")
        _ = consume first
        unsafe rename(folder.path + "/b", path)
        #expect(folder.exists("a"))
        let error = #expect(throws: Errno.self) { _ = try Socket.connecting(to: .unix(path)) }
        #expect(error == .connectionRefused)

        let second = try Listener.open(.unix(path), sharing: false)
        let near = try Socket.connecting(to: .unix(path))
        let far = try take(from: second)
        #expect(near.peerAddress == far.localAddress)
    }

    @Test func `a listener does not remove a file that took its name`() throws {
        let path = folder.path + "/a"
        let first = try Listener.open(.unix(path), sharing: false)
        unsafe rename(path, folder.path + "/b")
        let second = try Listener.open(.unix(path), sharing: false)
        _ = consume first
        #expect(folder.exists("a"))
        _ = consume second
        #expect(!folder.exists("a"))
    }

    @Test func `a file that is no socket is left alone`() throws {
        let path = folder.path + "/c"
        close(unsafe creat(path, 0o600))
        let error = #expect(throws: ListenError.self) { _ = try Listener.open(.unix(path), sharing: false) }
        #expect(error?.reason == .notASocket)
        #expect(folder.exists("c"))
    }

    @Test func `a unix path in no directory, or too long, says so`() {
        let missing = #expect(throws: ListenError.self) {
            _ = try Listener.open(.unix(folder.path + "/none/a"), sharing: false)
        }
        #expect(missing?.reason == .noDirectory)
        let long = #expect(throws: ListenError.self) {
            _ = try Listener.open(.unix("/" + String(repeating: "x", count: 107)), sharing: false)
        }
        #expect(long?.reason == .pathTooLong)
    }

    @Test func `a connection that ended while it waited is still handed over or passed by, never an error`() throws {
        let listener = try Listener.open(.ip(.loopbackV4, port: 0), sharing: false)
        let early = try Socket.connecting(to: listener.boundAddress)
        try wait(for: listener.rawValue, .read)
        early.resetOnClose()
        _ = consume early
        switch listener.accept() {
        case .accepted(let socket, _):
            let result = socket.read().0
            #expect(result == .failed(.connectionReset))
        case .wouldBlock: break
        default: Issue.record("the listener failed")
        }
    }
}

/// Each in a process of its own: the limit is the whole process'.
struct ExhaustionTests {
    @Test func `without descriptors accept says so, and the spare clears the queue`() async {
        await #expect(processExitsWith: .success) {
            var spare = SpareDescriptor()
            let listener = try Listener.open(.ip(.loopbackV4, port: 0), sharing: false)
            let first = try Socket.connecting(to: listener.boundAddress)
            let second = try Socket.connecting(to: listener.boundAddress)
            let third = try Socket.connecting(to: listener.boundAddress)
            let selector = try Selector()
            try selector.add(listener.rawValue, .read, token: 1)
            let someone = try selector.wait(timeoutMilliseconds: 20_000)
            #expect(someone == 1)
            let before = DescriptorLimit.current
            // No gap is left below the limit, so the next descriptor would be one too many.
            var last = dup(listener.rawValue)
            while last < third.rawValue { last = dup(listener.rawValue) }
            try DescriptorLimit.set(Int(last) + 1)
            guard case .exhausted(let error) = listener.accept() else {
                Issue.record("there was a descriptor left")
                return
            }
            #expect(error == .processDescriptors)
            #expect(error.description == "Too many open files (EMFILE)")

            #expect(spare.isHeld == true)
            let closed = spare.acceptAndClose(from: listener)
            #expect(closed == 3)
            #expect(spare.isHeld == true && spare.isQueueEmpty == true)
            // The kernel takes the descriptor before it looks whether anybody waits.
            guard case .exhausted = listener.accept() else {
                Issue.record("there was a descriptor left")
                return
            }
            let nobody = try selector.wait(timeoutMilliseconds: 0)
            #expect(nobody == 0)
            let none = spare.acceptAndClose(from: listener)
            #expect(none == 0 && spare.isHeld == true)

            try DescriptorLimit.set(before)
            try wait(for: second.rawValue, .read)
            #expect(second.pendingError() == .connectionReset)
            let events = try wait(for: first.rawValue, .read)
            #expect(events.contains(.readHangup))
            let result = first.read().0
            #expect(result == .failed(.connectionReset))
            let late = try Socket.connecting(to: listener.boundAddress)
            let accepted = try take(from: listener)
            #expect(accepted.peerAddress == late.localAddress)
        }
    }

    @Test func `a spare that could not be taken is taken later`() async {
        await #expect(processExitsWith: .success) {
            let listener = try Listener.open(.ip(.loopbackV4, port: 0), sharing: false)
            let before = DescriptorLimit.current
            try DescriptorLimit.set(0)
            var spare = SpareDescriptor()
            #expect(spare.isHeld == false)
            let none = spare.acceptAndClose(from: listener)
            #expect(none == 0 && spare.isHeld == false && spare.isQueueEmpty == false)
            try DescriptorLimit.set(before)
            _ = spare.acceptAndClose(from: listener)
            #expect(spare.isHeld == true)
        }
    }

    @Test func `the limit is raised to the hard one`() async {
        await #expect(processExitsWith: .success) {
            let most = DescriptorLimit.raise()
            try DescriptorLimit.set(100)
            #expect(DescriptorLimit.current == 100)
            #expect(DescriptorLimit.raise() == most)
            #expect(DescriptorLimit.current == most)
        }
    }
}
