import COpenSSL

/// OpenSSL, told before its first use not to tear itself down at exit: threads that still hold sessions then would read
/// what was freed, and a process that ends needs nobody to free its memory.
enum Initialization {
    static let once: Void = {
        _ = OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
    }()
}
