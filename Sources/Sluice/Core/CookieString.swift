internal import SluiceHTTP

/// What a client sends of its cookies (RFC 6265, section 4.2.1).
enum CookieString {
    /// The value of the first cookie with this name. HTTP/2 may send each in a field of its own.
    static func value(of name: String, in fields: FieldBlock) -> ArraySlice<UInt8>? {
        for field in fields.all(.cookie) {
            for pair in field.split(separator: UInt8(ascii: ";")) {
                let pair = pair.drop { $0 == 0x20 || $0 == 0x09 }
                let found = pair.prefix { $0 != UInt8(ascii: "=") }
                if found.endIndex < pair.endIndex, found.elementsEqual(name.utf8) {
                    return pair[found.endIndex...].dropFirst()
                }
            }
        }
        return nil
    }
}
