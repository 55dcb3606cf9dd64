/// Words of HTTP: methods, field names, the halves of a media type (RFC 9110, section 5.6.2).
enum HTTPToken {
    /// Whether the text is one `token`.
    static func isValid(_ text: some StringProtocol) -> Bool { isValid(text.utf8) }

    /// Whether the bytes are one `token`.
    static func isValid(_ bytes: some Collection<UInt8>) -> Bool { !bytes.isEmpty && bytes.allSatisfy(isTokenByte) }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
        default: false
        }
    }
}
