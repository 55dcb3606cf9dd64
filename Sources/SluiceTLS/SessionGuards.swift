import COpenSSL

/// How many post-handshake messages (KeyUpdate, tickets, refused renegotiations) a peer may still send.
///
/// Each costs this side key derivations and perhaps an answer, and the peer a few bytes. There is no clock here, so the
/// budget is refilled by application data, in either direction, not by time.
struct ControlBudget {
    /// OpenSSL's information callback reports up to three steps a message, so this is about fifty messages.
    static let full = 150
    static let bytesToRefill = 1 << 20

    private(set) var left = Self.full
    private var bytes = 0

    /// False: spent.
    mutating func spend(_ count: Int) -> Bool {
        if count > left { return false }
        left &-= count
        return true
    }

    mutating func earn(_ count: Int) {
        bytes &+= count
        if bytes >= Self.bytesToRefill {
            bytes = 0
            left = Self.full
        }
    }
}

/// OpenSSL's information callback. It is called for handshake steps and alerts only, never for data, so that it costs
/// the write path nothing. Past the limit it takes the rest of the input away, which ends SSL_read.
func noteControl(_ ssl: OpaquePointer?, _ event: Int32, _ value: Int32) {
    guard event & (SSL_CB_LOOP | SSL_CB_ALERT) != 0,
        let data = unsafe BIO_get_data(SSL_get_rbio(ssl))
    else { return }
    let state = unsafe data.assumingMemoryBound(to: PipeState.self)
    unsafe state.pointee.controlCount &+= 1
    if unsafe state.pointee.controlCount > state.pointee.controlLimit { unsafe state.pointee.inputCount = 0 }
}

/// The first five bytes of a peer: OpenSSL itself knows only four HTTP methods by sight, and takes what is no TLS for a
/// wrong version of it.
struct Opening {
    private var bytes: (UInt8, UInt8, UInt8, UInt8, UInt8) = (0, 0, 0, 0, 0)
    private var count: UInt8 = 0

    mutating func note(_ input: UnsafeRawBufferPointer) {
        for byte in unsafe Array(input.prefix(5)) {
            switch count {
            case 0: bytes.0 = byte
            case 1: bytes.1 = byte
            case 2: bytes.2 = byte
            case 3: bytes.3 = byte
            case 4: bytes.4 = byte
            default: return
            }
            count += 1
        }
    }

    /// Three letters or more, up to a space or the fifth byte: a method. A TLS record starts with a control character,
    /// "SSH-" has a hyphen.
    var looksLikeHTTP: Bool {
        guard count == 5 else { return false }
        var letters = 0
        for byte in [bytes.0, bytes.1, bytes.2, bytes.3, bytes.4] {
            if byte == UInt8(ascii: " ") { return letters >= 3 }
            guard (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte & 0xDF) else { return false }
            letters += 1
        }
        return true
    }

    /// As far as they came, they are the header of a handshake's or an alert's record (RFC 8446, 5.1).
    var mayBeTLS: Bool {
        if count > 0, bytes.0 != 22, bytes.0 != 21 { return false }
        return count < 2 || bytes.1 == 3
    }

    /// What a server of plain HTTP says to a TLS hello.
    var isHTTPAnswer: Bool {
        count == 5 && [bytes.0, bytes.1, bytes.2, bytes.3, bytes.4] == Array("HTTP/".utf8)
    }
}
