import COpenSSL

/// What OpenSSL's callbacks need to know of a listener. Each of its contexts holds a reference in its extra data, since
/// a session can outlive the `TLSServerContext` it was made from.
final class ListenerPolicy: Sendable {
    let alpn: [UInt8]
    let ticketKeys: TLSTicketKeys

    init(alpn: [UInt8], ticketKeys: TLSTicketKeys) {
        self.alpn = alpn
        self.ticketKeys = ticketKeys
    }

    private static let index = unsafe sluice_openssl_context_data_index(releaseExtraData)
    /// Only the first context of a listener has names: were they in all, the contexts would keep each other alive.
    private static let namesIndex = unsafe sluice_openssl_context_data_index(releaseExtraData)

    static func of(_ ssl: OpaquePointer?) -> ListenerPolicy? {
        unsafe SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), index).map {
            unsafe Unmanaged<ListenerPolicy>.fromOpaque($0).takeUnretainedValue()
        }
    }

    static func names(_ ssl: OpaquePointer?) -> ServerNames? {
        unsafe SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), namesIndex).map {
            unsafe Unmanaged<ServerNames>.fromOpaque($0).takeUnretainedValue()
        }
    }

    /// False where OpenSSL has no memory.
    func attach(to context: OpaquePointer) -> Bool {
        unsafe Self.store(self, context, Self.index)
    }

    static func attach(_ names: ServerNames, to context: OpaquePointer) -> Bool {
        unsafe store(names, context, namesIndex)
    }

    private static func store(_ object: AnyObject, _ context: OpaquePointer, _ index: Int32) -> Bool {
        let reference = unsafe Unmanaged.passRetained(object)
        if unsafe SSL_CTX_set_ex_data(context, index, reference.toOpaque()) == 1 { return true }
        unsafe reference.release()
        return false
    }
}

private func releaseExtraData(
    _ parent: UnsafeMutableRawPointer?, _ object: UnsafeMutableRawPointer?,
    _ data: UnsafeMutablePointer<CRYPTO_EX_DATA>?,
    _ index: Int32, _ number: Int, _ pointer: UnsafeMutableRawPointer?
) {
    guard let object = unsafe object else { return }
    unsafe Unmanaged<AnyObject>.fromOpaque(object).release()
}

/// SNI: switches the session to the certificate for the name asked for.
func chooseCertificate(
    _ ssl: OpaquePointer?, _ alert: UnsafeMutablePointer<Int32>?, _ data: UnsafeMutableRawPointer?
) -> Int32 {
    guard let asked = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name),
        let names = unsafe ListenerPolicy.names(ssl)
    else { return SSL_TLSEXT_ERR_NOACK }
    switch names.find(unsafe String(cString: asked)) {
    case .none: return SSL_TLSEXT_ERR_NOACK
    case .first: return SSL_TLSEXT_ERR_OK
    case .other(let handle):
        return unsafe SSL_set_SSL_CTX(ssl, handle.pointer) == nil ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_OK
    }
}

/// ALPN by the server's preference; without overlap the fatal alert no_application_protocol (RFC 7301, 3.2).
func chooseProtocol(
    _ ssl: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenCount: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?, _ offeredCount: UInt32,
    _ data: UnsafeMutableRawPointer?
) -> Int32 {
    guard let policy = unsafe ListenerPolicy.of(ssl), !policy.alpn.isEmpty else { return SSL_TLSEXT_ERR_NOACK }
    let theirs = unsafe UnsafeBufferPointer(start: offered, count: Int(offeredCount))
    let ours = policy.alpn
    var at = 0
    while at < ours.count {
        let end = at + 1 + Int(ours[at])
        let name = ours[at + 1..<end]
        at = end
        var their = 0
        while their < theirs.count {
            let count = Int(unsafe theirs[their])
            guard their + 1 + count <= theirs.count else { return SSL_TLSEXT_ERR_ALERT_FATAL }
            if unsafe name.elementsEqual(theirs[their + 1..<their + 1 + count]) {
                // The answer points into the client's own list, which outlives this call.
                unsafe chosen?.pointee = unsafe theirs.baseAddress?.advanced(by: their + 1)
                unsafe chosenCount?.pointee = UInt8(truncatingIfNeeded: count)
                return SSL_TLSEXT_ERR_OK
            }
            their += 1 + count
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
