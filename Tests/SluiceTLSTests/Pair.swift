@testable import SluiceTLS

/// A server's session and a client's, wired to each other in memory, each with a pipe of its own.
final class Pair {
    var server: TLSSession
    var client: TLSSession
    let serverPipe = TLSPipe()
    let clientPipe = TLSPipe()

    /// What a side received, and how its last run of reads ended where that was not for want of input.
    struct Received {
        var bytes: [UInt8] = []
        var error: TLSError?
        var isClosed = false
        var text: String { String(decoding: bytes, as: UTF8.self) }
    }
    var atServer = Received()
    var atClient = Received()

    init(_ server: TLSServerContext, _ client: TLSClientContext, name: String) throws(TLSError) {
        self.server = try TLSSession(accepting: server, pipe: serverPipe)
        self.client = try TLSSession(connecting: client, serverName: name, pipe: clientPipe)
    }

    /// Carries bytes to and fro until none is left on the way. `step` bytes at a time.
    @discardableResult
    func run(step: Int = .max) -> Pair {
        toClient([], step)
        while true {
            let up = take(clientPipe)
            toServer(up, step)
            let down = take(serverPipe)
            toClient(down, step)
            if up.isEmpty && down.isEmpty && clientPipe.outputCount == 0 { return self }
        }
    }

    func toServer(_ bytes: [UInt8], _ step: Int = .max) {
        feed(&server, serverPipe, bytes, step, &atServer)
    }

    func toClient(_ bytes: [UInt8], _ step: Int = .max) {
        feed(&client, clientPipe, bytes, step, &atClient)
    }

    func endAtServer() -> TLSReadResult { server.endOfInput() }
    func endAtClient() -> TLSReadResult { client.endOfInput() }

    /// What the server's side says was agreed; a copy, which expectations can look into.
    var agreed: Agreed { Agreed(server) }
    var agreedByClient: Agreed { Agreed(client) }
    var isEstablished: Bool { server.isEstablished && client.isEstablished }

    func fromServer(_ text: String) -> TLSWriteResult { server.write(text, serverPipe) }
    func fromClient(_ text: String) -> TLSWriteResult { client.write(text, clientPipe) }
}

/// The ciphertext a pipe holds, taken out of it.
func take(_ pipe: TLSPipe) -> [UInt8] {
    defer { pipe.clearOutput() }
    return unsafe Array(pipe.output)
}

func feed(
    _ session: inout TLSSession, _ pipe: TLSPipe, _ bytes: [UInt8], _ step: Int, _ received: inout Pair.Received
) {
    var rest = bytes[...]
    repeat {
        let piece = Array(rest.prefix(step))
        rest = rest.dropFirst(piece.count)
        unsafe piece.withUnsafeBytes { input in
            unsafe session.begin(input, pipe: pipe)
            readAll(&session, pipe, &received)
        }
    } while !rest.isEmpty
}

func readAll(_ session: inout TLSSession, _ pipe: TLSPipe, _ received: inout Pair.Received) {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
        switch unsafe buffer.withUnsafeMutableBytes({ unsafe session.read(into: $0, pipe: pipe) }) {
        case .bytes(let count): received.bytes += buffer.prefix(count)
        case .needInput: return
        case .closed:
            received.isClosed = true
            return
        case .failed(let error):
            received.error = error
            return
        }
    }
}

extension TLSSession {
    mutating func write(_ text: String, _ pipe: TLSPipe) -> TLSWriteResult {
        let bytes = Array(text.utf8)
        return unsafe bytes.withUnsafeBytes { unsafe write($0, pipe: pipe) }
    }
}

extension TLSReadResult {
    var error: TLSError? {
        if case .failed(let error) = self { error } else { nil }
    }
    var isClosed: Bool {
        if case .closed = self { true } else { false }
    }
}

extension TLSWriteResult {
    var isSealed: Bool {
        if case .sealed = self { true } else { false }
    }
    var error: TLSError? {
        if case .failed(let error) = self { error } else { nil }
    }
}

struct Agreed {
    let isEstablished: Bool
    let isResumed: Bool
    let version: String
    let cipher: String?
    let alpn: String?
    let serverName: String?

    init(_ session: borrowing TLSSession) {
        isEstablished = session.isEstablished
        isResumed = session.isResumed
        version = session.version
        cipher = session.cipher
        alpn = session.alpn
        serverName = session.serverName
    }
}

extension TLSPipe {
    var outputCount: Int { unsafe output.count }
    var outputCapacity: Int { unsafe state.pointee.outputCapacity }
}
