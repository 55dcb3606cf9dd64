internal import CLinux

/// A connected stream socket, non-blocking, with one owner; leaving its scope closes it.
package struct Socket: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    /// Takes a connected, non-blocking descriptor.
    package init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// The descriptor, to be given to a `Selector`.
    package var rawValue: Int32 { descriptor.rawValue }

    /// Gives the descriptor up, open: a message to another thread can carry a number, but not a socket.
    package consuming func release() -> Int32 { descriptor.release() }

    /// Begins to connect. That it is in progress is success: wait until the socket is writable, then ask
    /// `pendingError()`. Only what is known at once is thrown (no route, no such unix socket, no descriptor left).
    package static func connecting(to address: SocketAddress) throws(Errno) -> Socket {
        let descriptor = try System.socket(for: address)
        if address.ip != nil { System.set(SLUICE_OPTION_NO_DELAY, of: descriptor.rawValue, to: 1) }
        try System.connect(descriptor.rawValue, to: address)
        return Socket(descriptor)
    }

    /// The socket's error since it was last asked (SO_ERROR), which also clears it; nil: none.
    package func pendingError() -> Errno? {
        guard let value = System.get(SLUICE_OPTION_PENDING_ERROR, of: rawValue), value != 0 else { return nil }
        return Errno(value)
    }

    /// Bytes that were written and that the peer's side has not acknowledged yet (SIOCOUTQ); nil: not known.
    package var unacknowledgedBytes: Int32? { System.outputQueue(rawValue) }

    /// Whether a read would find something: bytes, the end or an error. Nothing is taken.
    package var hasInput: Bool { System.hasInput(rawValue) }

    /// Reads what is there. An empty buffer reads nothing and answers `.wouldBlock`.
    package func read(into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
        unsafe System.receive(rawValue, into: buffer)
    }

    /// Reads what is there and leaves it there.
    package func peek(into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
        unsafe System.receive(rawValue, into: buffer, peeking: true)
    }

    /// Writes as much as the kernel takes. A peer that is gone is `.failed(.brokenPipe)` or `.failed(.connectionReset)`;
    /// it never raises SIGPIPE.
    package func write(_ buffer: UnsafeRawBufferPointer) -> IOResult {
        unsafe System.send(rawValue, buffer)
    }

    /// Says to the peer that nothing more comes; reading goes on.
    package func shutdownWrite() { System.shutdownWrite(rawValue) }

    /// Makes closing send RST and forget what is unsent, so that the peer cannot take the end for a clean one.
    package func resetOnClose() { System.set(SLUICE_OPTION_LINGER_SECONDS, of: rawValue, to: 0) }

    /// TCP_NODELAY: a write leaves at once. Nothing on a unix socket.
    package func setNoDelay() { System.set(SLUICE_OPTION_NO_DELAY, of: rawValue, to: 1) }

    /// TCP_USER_TIMEOUT: how long sent bytes may stay unacknowledged before the peer counts as dead.
    package func setUserTimeout(milliseconds: UInt32) {
        System.set(SLUICE_OPTION_USER_TIMEOUT, of: rawValue, to: Int32(clamping: milliseconds))
    }

    /// SO_KEEPALIVE: a peer that is gone is found although nothing is sent: after `idle` seconds of silence it is asked
    /// up to `count` times, every `interval` seconds. Nothing on a unix socket.
    package func setKeepAlive(idle: Int32, interval: Int32, count: Int32) {
        System.set(SLUICE_OPTION_KEEP_ALIVE_IDLE_SECONDS, of: rawValue, to: idle)
        System.set(SLUICE_OPTION_KEEP_ALIVE_INTERVAL_SECONDS, of: rawValue, to: interval)
        System.set(SLUICE_OPTION_KEEP_ALIVE_COUNT, of: rawValue, to: count)
        System.set(SLUICE_OPTION_KEEP_ALIVE, of: rawValue, to: 1)
    }

    /// TCP_NOTSENT_LOWAT: the socket counts as writable only while fewer bytes than this wait to be sent.
    package func setNotSentLowWater(bytes: UInt32) {
        System.set(SLUICE_OPTION_NOT_SENT_LOW_WATER, of: rawValue, to: Int32(clamping: bytes))
    }

    /// SO_RCVBUF; the kernel doubles it.
    package func setReceiveBuffer(bytes: UInt32) {
        System.set(SLUICE_OPTION_RECEIVE_BUFFER, of: rawValue, to: Int32(clamping: bytes))
    }

    /// SO_SNDBUF; the kernel doubles it.
    package func setSendBuffer(bytes: UInt32) {
        System.set(SLUICE_OPTION_SEND_BUFFER, of: rawValue, to: Int32(clamping: bytes))
    }

    package var localAddress: SocketAddress? { System.name(rawValue, peer: false) }
    package var peerAddress: SocketAddress? { System.name(rawValue, peer: true) }
}
