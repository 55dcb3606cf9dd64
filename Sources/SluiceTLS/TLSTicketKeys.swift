import COpenSSL
import Synchronization

/// The keys that session tickets are sealed with (RFC 5077, 4; RFC 8446, 4.6.1), shared by all workers and listeners.
///
/// A ticket is usable until the second `rotate` after it was made: the first keeps its key as the previous one.
package final class TLSTicketKeys: Sendable {
    struct Key: Sendable {
        static let nameCount = 16
        let name: [UInt8]
        let cipher: [UInt8]
        let mac: [UInt8]

        init() {
            name = randomBytes(Self.nameCount)
            cipher = randomBytes(32)
            mac = randomBytes(32)
        }
    }

    private struct Keys {
        var current = Key()
        var previous: Key?
    }

    private let keys = Mutex(Keys())

    package init() {}

    /// A new key seals from now on; the one before still opens, the one before that is forgotten.
    package func rotate() {
        let fresh = Key()
        keys.withLock { keys in
            keys.previous = keys.current
            keys.current = fresh
        }
    }

    var current: Key {
        keys.withLock { $0.current }
    }

    func find(_ name: UnsafeBufferPointer<UInt8>) -> (key: Key, isCurrent: Bool)? {
        keys.withLock { keys in
            if unsafe keys.current.name.elementsEqual(name) { return (keys.current, true) }
            if let previous = keys.previous, unsafe previous.name.elementsEqual(name) { return (previous, false) }
            return nil
        }
    }
}

/// From the system's generator, which cannot fail.
private func randomBytes(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
}

/// Fetched once: an implicit fetch takes a lock at each handshake.
nonisolated(unsafe) private let ticketCipher: OpaquePointer? = unsafe EVP_CIPHER_fetch(nil, "AES-256-CBC", nil)

/// SSL_CTX_set_tlsext_ticket_key_evp_cb: -1 is an error, 0 an unknown key, 1 goes on, 2 goes on and renews the ticket.
func ticketKey(
    _ ssl: OpaquePointer?, _ name: UnsafeMutablePointer<UInt8>?, _ vector: UnsafeMutablePointer<UInt8>?,
    _ cipher: OpaquePointer?, _ mac: OpaquePointer?, _ isSealing: Int32
) -> Int32 {
    guard let name = unsafe name, let vector = unsafe vector, let keys = unsafe ListenerPolicy.of(ssl)?.ticketKeys
    else {
        return -1
    }
    if isSealing == 1 {
        var key = keys.current
        unsafe name.update(from: key.name, count: TLSTicketKeys.Key.nameCount)
        guard unsafe RAND_bytes(vector, Int32(EVP_MAX_IV_LENGTH)) == 1,
            unsafe EVP_EncryptInit_ex2(cipher, ticketCipher, key.cipher, vector, nil) == 1,
            unsafe useMAC(&key, mac)
        else { return -1 }
        return 1
    }
    let asked = unsafe UnsafeBufferPointer(start: name, count: TLSTicketKeys.Key.nameCount)
    guard let found = unsafe keys.find(asked) else { return 0 }
    var key = found.key
    guard unsafe EVP_DecryptInit_ex2(cipher, ticketCipher, key.cipher, vector, nil) == 1, unsafe useMAC(&key, mac)
    else { return -1 }
    return found.isCurrent ? 1 : 2
}

private func useMAC(_ key: inout TLSTicketKeys.Key, _ mac: OpaquePointer?) -> Bool {
    var bytes = key.mac
    return unsafe sluice_openssl_set_mac_key(mac, &bytes, bytes.count) == 1
}
