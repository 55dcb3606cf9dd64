internal import SluiceSSE

/// Whether bytes are well-formed UTF-8.
enum UTF8Check {
    static func isValid(_ bytes: [UInt8]) -> Bool { firstInvalid(in: bytes) == nil }

    /// The index of the first byte that is no part of well-formed UTF-8.
    static func firstInvalid(in bytes: [UInt8]) -> Int? {
        let end = unsafe bytes.withUnsafeBytes { unsafe EventEncoder.endOfUTF8($0) }
        return end == bytes.count ? nil : end
    }
}
