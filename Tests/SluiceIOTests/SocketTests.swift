import Glibc
import SluiceIO
import Testing

struct SocketTests {
    let folder = Folder()

    @Test(arguments: Family.allCases)
    func `bytes go both ways`(_ family: Family) throws {
        let pair = try Pair(family, in: folder)
        let before = pair.far.read().0
        #expect(before == .wouldBlock)
        let sent = pair.near.write("hello")
        #expect(sent == .bytes(5))
        try wait(for: pair.far.rawValue, .read)
        let received = pair.far.read().1
        #expect(received == "hello")
        let answered = pair.far.write("there")
        #expect(answered == .bytes(5))
        try wait(for: pair.near.rawValue, .read)
        let first = pair.near.read(2).1
        let rest = pair.near.read().1
        #expect(first == "th" && rest == "ere")
    }

    @Test(arguments: Family.allCases)
    func `what waits to be read is seen and stays, the end too`(_ family: Family) throws {
        let pair = try Pair(family, in: folder)
        let before = pair.far.hasInput
        #expect(!before)
        _ = pair.near.write("x")
        try wait(for: pair.far.rawValue, .read)
        let (first, second) = (pair.far.hasInput, pair.far.hasInput)
        #expect(first && second)
        let received = pair.far.read().1
        #expect(received == "x")
        pair.near.shutdownWrite()
        try wait(for: pair.far.rawValue, .read)
        let ended = pair.far.hasInput
        let end = pair.far.read().0
        #expect(ended && end == .end)
    }

    @Test func `what this machine lacks is told from what the other side does`() {
        for value in [EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL] { #expect(Errno(value).isOfThisMachine) }
        for value in [ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENOENT, EACCES] {
            #expect(!Errno(value).isOfThisMachine)
        }
    }

    @Test(arguments: Family.allCases)
    func `a connection without trouble has no pending error`(_ family: Family) throws {
        let pair = try Pair(family, in: folder)
        let error = pair.near.pendingError()
        #expect(error == nil)
    }

    @Test(arguments: Family.allCases)
    func `what was shut down for writing ends for the reader, who may still answer`(_ family: Family) throws {
        let pair = try Pair(family, in: folder)
        _ = pair.near.write("last")
        pair.near.shutdownWrite()
        pair.near.shutdownWrite()
        try wait(for: pair.far.rawValue, .read)
        let last = pair.far.read().1
        let end = pair.far.read().0
        #expect(last == "last" && end == .end)
        _ = pair.far.write("answer")
        try wait(for: pair.near.rawValue, .read)
        let answer = pair.near.read().1
        #expect(answer == "answer")
        let refused = pair.near.write("more")
        #expect(refused == .failed(.brokenPipe))
    }

    @Test(arguments: Family.allCases)
    func `a full socket would block, and is writable again when it was read`(_ family: Family) throws {
        let pair = try Pair(family, in: folder)
        pair.near.setSendBuffer(bytes: 16384)
        pair.far.setReceiveBuffer(bytes: 16384)
        let total = pair.near.fill()
        #expect(total > 0)
        let blocked = pair.near.write("x")
        #expect(blocked == .wouldBlock)
        var received = 0
        while received < total {
            try wait(for: pair.far.rawValue, .read)
            received += pair.far.read(65536).1.utf8.count
        }
        #expect(received == total)
        let events = try wait(for: pair.near.rawValue, .write)
        #expect(events.contains(.write))
    }

    @Test(arguments: Family.allCases)
    func `what the peer has not taken is counted, and gets less when it reads`(_ family: Family) throws {
        let pair = try Pair(family, in: folder)
        let none = pair.near.unacknowledgedBytes
        #expect(none == 0)
        pair.near.setSendBuffer(bytes: 65536)
        pair.far.setReceiveBuffer(bytes: 4096)
        let total = pair.near.fill()
        let held = pair.near.unacknowledgedBytes ?? 0
        #expect(held > 0)
        var received = 0
        while received < total {
            try wait(for: pair.far.rawValue, .read)
            received += pair.far.read(65536).1.utf8.count
        }
        let left = pair.near.unacknowledgedBytes ?? held
        #expect(left < held)
    }

    @Test(arguments: [Family.v4, .v6])
    func `a reset reaches the peer as a failed read, then as a broken pipe`(_ family: Family) throws {
        let pair = try Pair(family, in: folder)
        let near = pair.near
        let far = pair.far
        near.resetOnClose()
        _ = consume near
        let events = try wait(for: far.rawValue, .read)
        #expect(events.contains(.error))
        let result = far.read().0
        #expect(result == .failed(.connectionReset))
        let refused = far.write("x")
        #expect(refused == .failed(.brokenPipe))
    }

    @Test(arguments: Family.allCases)
    func `nothing to write is written, and reading into nothing is not the end`(_ family: Family) throws {
        let pair = try Pair(family, in: folder)
        let written = unsafe pair.near.write(UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(written == .bytes(0))
        let read = unsafe pair.far.read(into: UnsafeMutableRawBufferPointer(start: nil, count: 0))
        #expect(read == .wouldBlock)
    }

    @Test(arguments: Family.allCases)
    func `every option may be set on every kind of socket`(_ family: Family) throws {
        let pair = try Pair(family, in: folder)
        pair.near.setNoDelay()
        pair.near.setUserTimeout(milliseconds: .max)
        pair.near.setNotSentLowWater(bytes: 16384)
        pair.near.setReceiveBuffer(bytes: .max)
        pair.near.setSendBuffer(bytes: 1)
        pair.near.resetOnClose()
        let sent = pair.near.write("still")
        #expect(sent == .bytes(5))
    }

    @Test(arguments: Family.allCases)
    func `both ends know each other's address`(_ family: Family) throws {
        let listener = try Listener.open(folder.address(of: family), sharing: false)
        let near = try Socket.connecting(to: listener.boundAddress)
        try wait(for: listener.rawValue, .read)
        guard case .accepted(let far, let peer) = listener.accept() else {
            Issue.record("nothing was accepted")
            return
        }
        let bound = listener.boundAddress
        #expect(near.peerAddress == bound)
        #expect(far.localAddress == bound)
        #expect(near.localAddress == peer)
        #expect(far.peerAddress == peer)
        if family == .unix { #expect(peer == .unix("")) } else { #expect(peer.ip?.isLoopback == true) }
    }

    @Test(arguments: [Family.v4, .v6])
    func `a refused connection shows in the pending error, once`(_ family: Family) throws {
        let address = try closedAddress(family)
        let socket: Socket
        do { socket = try Socket.connecting(to: address) } catch {
            // Where the answer comes before connect returns it is thrown.
            #expect(error == .connectionRefused)
            return
        }
        let events = try wait(for: socket.rawValue, .write)
        #expect(events.contains(.error))
        let error = socket.pendingError()
        #expect(error == .connectionRefused)
        let again = socket.pendingError()
        #expect(again == nil)
    }

    private func closedAddress(_ family: Family) throws -> SocketAddress {
        try Listener.open(folder.address(of: family), sharing: false).boundAddress
    }

    @Test func `a unix path without a listener is refused at once`() {
        let error = #expect(throws: Errno.self) { _ = try Socket.connecting(to: .unix(folder.path + "/none")) }
        #expect(error == .notFound)
        let long = #expect(throws: Errno.self) {
            _ = try Socket.connecting(to: .unix(String(repeating: "x", count: 108)))
        }
        #expect(long == .nameTooLong)
    }

    @Test func `an error says itself in words and by name`() {
        #expect(Errno.connectionRefused.description == "Connection refused (ECONNREFUSED)")
        #expect(Errno(99999).description == "Unknown error (errno 99999)")
    }

    @Test func `a descriptor that was given up stays open`() throws {
        let listener = try Listener.open(.ip(.loopbackV4, port: 0), sharing: false)
        let copy = try listener.duplicate()
        let number = copy.rawValue
        #expect(number != listener.rawValue)
        let owner = FileDescriptor(owning: try Socket.connecting(to: listener.boundAddress).release())
        let released = owner.release()
        let again = Socket(FileDescriptor(owning: released))
        #expect(again.peerAddress == listener.boundAddress)
    }

    @Test func `closing a descriptor twice ends the process`() async {
        await #expect(processExitsWith: .failure) {
            let listener = try Listener.open(.ip(.loopbackV4, port: 0), sharing: false)
            let first = FileDescriptor(owning: listener.rawValue)
            _ = consume first
            _ = consume listener
        }
    }
}
