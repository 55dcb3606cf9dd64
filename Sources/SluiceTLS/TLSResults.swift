/// What one `TLSSession.read` came to.
package enum TLSReadResult: Sendable {
    /// So many bytes of plaintext, at least one, are in the buffer; read again.
    case bytes(Int)
    /// All input is consumed.
    case needInput
    /// The peer's close_notify came: nothing was cut off, nothing more will come.
    case closed
    /// The session is dead; what is in the pipe's output (an alert) should still be sent.
    case failed(TLSError)
}

/// What one `TLSSession.write` came to.
package enum TLSWriteResult: Sendable {
    /// All of it is ciphertext in the pipe's output.
    case sealed
    /// The session is dead.
    case failed(TLSError)
}

/// The protocol versions that are spoken at all.
package enum TLSVersion: Sendable, Hashable {
    case v12
    case v13
}
