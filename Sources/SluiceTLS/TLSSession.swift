import COpenSSL

/// One TLS connection: bytes in, bytes out. No socket, no clock, and no buffer of its own while idle.
///
/// Order of use: `begin` with what the transport gave, then `read` until it says `.needInput` (`.closed`, `.failed`),
/// then send the pipe's output. The handshake happens inside `read`. Belongs to its pipe's thread.
@safe package struct TLSSession: ~Copyable {
    private enum Phase { case handshaking, established, failed }

    let ssl: OpaquePointer
    private var phase = Phase.handshaking
    private let isServer: Bool
    /// close_notify was sent: TLS allows no more data.
    private var hasClosed = false
    private var peerHasClosed = false
    /// The first bytes of the peer, to tell plain HTTP from broken TLS.
    private var opening = Opening()
    private var controls = ControlBudget()
    private var failure: TLSError?

    /// The server's side of a new connection.
    package init(accepting context: TLSServerContext, pipe: TLSPipe) throws(TLSError) {
        unsafe ssl = try Self.make(context.handle.pointer, pipe)
        isServer = true
        unsafe SSL_set_accept_state(ssl)
    }

    /// The client's side; `begin` with no bytes and `read` make the first flight.
    ///
    /// - Parameter serverName: a host name, or an IP address (in brackets or not), which the server's certificate has to
    ///   be for. A host name is sent as SNI, an address is not (RFC 6066, 3).
    package init(connecting context: TLSClientContext, serverName: String, pipe: TLSPipe) throws(TLSError) {
        let peer = try PeerName(serverName)
        let ssl = unsafe try Self.make(context.handle.pointer, pipe)
        guard unsafe peer.apply(to: ssl) else {
            unsafe SSL_free(ssl)
            throw TLSError(.misuse, "'\(serverName)' cannot be verified as a server's name", reason: ErrorQueue.take())
        }
        unsafe self.ssl = unsafe ssl
        isServer = false
        unsafe SSL_set_connect_state(ssl)
    }

    deinit {
        unsafe SSL_free(ssl)
    }

    private static func make(_ context: OpaquePointer, _ pipe: TLSPipe) throws(TLSError) -> OpaquePointer {
        ErrorQueue.clear()
        guard let bio = unsafe pipe.bio, let ssl = unsafe SSL_new(context) else {
            throw TLSError(.internal, "a TLS session cannot be made", reason: ErrorQueue.take())
        }
        unsafe BIO_up_ref(bio)
        unsafe SSL_set_bio(ssl, bio, bio)
        return unsafe ssl
    }

    // MARK: Reading

    /// Gives the session ciphertext, which stays the caller's and valid until `read` says `.needInput`.
    package mutating func begin(_ input: UnsafeRawBufferPointer, pipe: TLSPipe) {
        if phase == .handshaking { unsafe opening.note(input) }
        unsafe pipe.state.pointee.input = input.baseAddress
        unsafe pipe.state.pointee.inputCount = input.count
        unsafe pipe.state.pointee.reader = unsafe ssl
    }

    /// The next plaintext, or why there is none. Answers to the peer (handshake, alerts) go to the pipe's output.
    ///
    /// - Parameter buffer: not empty.
    package mutating func read(into buffer: UnsafeMutableRawBufferPointer, pipe: TLSPipe) -> TLSReadResult {
        if let failure { return .failed(failure) }
        let state = unsafe pipe.state
        if unsafe state.pointee.reader != ssl { unsafe state.pointee.inputCount = 0 }
        unsafe state.pointee.isReadable = true
        defer { unsafe state.pointee.isReadable = false }
        if phase == .handshaking, let result = unsafe handshake(state) { return result }
        if peerHasClosed {
            unsafe state.pointee.inputCount = 0  // RFC 8446, 6.1: what follows close_notify is ignored
            return .closed
        }
        // Asking OpenSSL for what is not there costs it a buffer, allocated and freed.
        if unsafe state.pointee.inputCount == 0 && SSL_has_pending(ssl) == 0 { return .needInput }
        return unsafe readPlaintext(buffer, state)
    }

    private mutating func readPlaintext(
        _ buffer: UnsafeMutableRawBufferPointer, _ state: UnsafeMutablePointer<PipeState>
    ) -> TLSReadResult {
        unsafe state.pointee.controlCount = 0
        unsafe state.pointee.controlLimit = controls.left
        defer { unsafe state.pointee.controlLimit = Int.max }
        ErrorQueue.clear()
        var count = 0
        let status = unsafe SSL_read_ex(ssl, buffer.baseAddress, buffer.count, &count)
        guard controls.spend(unsafe state.pointee.controlCount) else {
            return .failed(fail(TLSError(.flood, "the peer sent too many handshake messages after the handshake")))
        }
        if status == 1 {
            controls.earn(count)
            return .bytes(count)
        }
        switch unsafe SSL_get_error(ssl, status) {
        case SSL_ERROR_WANT_READ:
            return .needInput
        case SSL_ERROR_ZERO_RETURN:
            peerHasClosed = true
            unsafe state.pointee.inputCount = 0
            return .closed
        default:
            return .failed(fail(sessionError()))
        }
    }

    /// nil: done, read on.
    private mutating func handshake(_ state: UnsafeMutablePointer<PipeState>) -> TLSReadResult? {
        ErrorQueue.clear()
        let sent = unsafe state.pointee.outputCount
        let status = unsafe SSL_do_handshake(ssl)
        if status == 1 {
            phase = .established
            return nil
        }
        switch unsafe SSL_get_error(ssl, status) {
        case SSL_ERROR_WANT_READ:
            return .needInput
        default:
            if isServer && opening.looksLikeHTTP {
                ErrorQueue.clear()
                unsafe state.pointee.outputCount = sent  // an alert would stand before the plain answer
                return .failed(fail(TLSError(.plainHTTP, "a plain HTTP request was sent to a TLS port")))
            }
            return .failed(fail(sessionError()))
        }
    }

    private func sessionError() -> TLSError {
        let isEstablished = phase == .established
        guard isServer else { return unsafe ClientFailure.error(ssl, opening, isEstablished: isEstablished) }
        let what = isEstablished ? "the TLS session failed" : "the TLS handshake failed"
        return TLSError(.handshake, what, reason: ErrorQueue.take())
    }

    /// The transport has ended: `.closed` after close_notify, else `.failed` as truncated. EOF alone is never success.
    package mutating func endOfInput() -> TLSReadResult {
        if peerHasClosed { return .closed }
        if let failure { return .failed(failure) }
        if !isServer, phase == .handshaking, let error = ClientFailure.notTLS(opening) { return .failed(fail(error)) }
        let what =
            phase == .established
            ? "the connection was cut: it ended without close_notify" : "the connection ended during the TLS handshake"
        return .failed(fail(TLSError(.truncated, what)))
    }

    private mutating func fail(_ error: TLSError) -> TLSError {
        phase = .failed
        failure = error
        return error
    }

    // MARK: Writing

    /// Seals all of `plaintext` (at most 16384 bytes make one record) into the pipe's output.
    package mutating func write(_ plaintext: UnsafeRawBufferPointer, pipe: TLSPipe) -> TLSWriteResult {
        guard phase == .established, !hasClosed else { return .failed(unwritable()) }
        guard plaintext.count > 0 else { return .sealed }
        var count = 0
        // The error queue is empty here: whoever fails in this module empties it, and clearing costs as much as a
        // short record's encryption.
        let status = unsafe SSL_write_ex(ssl, plaintext.baseAddress, plaintext.count, &count)
        guard status == 1 else {
            return .failed(fail(TLSError(.handshake, "the TLS session cannot send", reason: ErrorQueue.take())))
        }
        controls.earn(count)
        return .sealed
    }

    private func unwritable() -> TLSError {
        if let failure { return failure }
        return TLSError(.misuse, hasClosed ? "the TLS session is closed" : "the TLS handshake is not done")
    }

    /// Appends close_notify to the pipe's output, once; nothing where the handshake is not done or the session failed.
    package mutating func close(pipe: TLSPipe) {
        guard phase == .established, !hasClosed else { return }
        hasClosed = true
        ErrorQueue.clear()
        if unsafe SSL_shutdown(ssl) < 0 { ErrorQueue.clear() }
    }

    // MARK: What was agreed

    package var isEstablished: Bool { phase == .established }

    /// A ticket was accepted in place of the certificate.
    package var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }

    /// "TLSv1.3" or "TLSv1.2".
    package var version: String { unsafe String(cString: SSL_get_version(ssl)) }

    /// The cipher suite in OpenSSL's words, nil before it is agreed.
    package var cipher: String? {
        guard let cipher = unsafe SSL_get_current_cipher(ssl), let name = unsafe SSL_CIPHER_get_name(cipher) else {
            return nil
        }
        return unsafe String(cString: name)
    }

    /// The application protocol agreed on (RFC 7301), nil where none was.
    package var alpn: String? {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &name, &count)
        guard count > 0, let name = unsafe name else { return nil }
        return unsafe String(decoding: UnsafeBufferPointer(start: name, count: Int(count)), as: UTF8.self)
    }

    /// Whether a client that verified this side's certificate for the name that it asked for (SNI) may take it to be for
    /// this host too, given with or without a port. A client that asked for none is not held to any.
    package func isCertified(for authority: some Collection<UInt8>) -> Bool {
        guard let asked = serverName else { return true }
        let host = String(decoding: HostPart.of(authority), as: UTF8.self).lowercased()
        if host == asked || host == asked + "." { return true }
        guard let certificate = unsafe SSL_get_certificate(ssl) else { return false }
        let flags = UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)
        defer { ErrorQueue.clear() }
        return unsafe X509_check_host(certificate, host, host.utf8.count, flags, nil) == 1
            || X509_check_ip_asc(certificate, host, 0) == 1
    }

    /// The name the client asked for (SNI), in lower case; nil where it sent none.
    package var serverName: String? {
        guard let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else { return nil }
        return unsafe String(cString: name).lowercased()
    }
}
