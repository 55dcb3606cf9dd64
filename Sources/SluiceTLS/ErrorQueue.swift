import COpenSSL

/// OpenSSL's per-thread queue of errors. A stale entry makes SSL_get_error lie, so whoever fails empties it.
enum ErrorQueue {
    static func clear() {
        ERR_clear_error()
    }

    /// The oldest entry, which is the cause of the others, in words; the queue is empty afterwards.
    static func take() -> String? {
        guard let code = takeCode() else { return nil }
        return text(code)
    }

    /// As `take`, for those who look at the number first.
    static func takeCode() -> UInt? {
        let code = ERR_get_error()
        ERR_clear_error()
        return code == 0 ? nil : UInt(code)
    }

    static func text(_ code: UInt) -> String {
        if let reason = unsafe ERR_reason_error_string(code) {
            return unsafe String(cString: reason)
        }
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let base = buffer.baseAddress else { return "error \(code)" }
            unsafe ERR_error_string_n(code, base, buffer.count)
            return unsafe String(cString: base)
        }
    }

    static func reasonCode(_ code: UInt) -> Int32 {
        ERR_GET_REASON(code)
    }

    /// The number of the alert that the peer sent (RFC 8446, 6), where the error is one.
    static func alert(_ code: UInt) -> Int32? {
        let number = reasonCode(code) - SSL_AD_REASON_OFFSET
        return ERR_GET_LIB(code) == ERR_LIB_SSL && (0...255).contains(number) ? number : nil
    }
}
