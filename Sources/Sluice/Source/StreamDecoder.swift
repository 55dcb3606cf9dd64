internal import SluiceHTTP

/// How the bytes of a body become those of the stream.
enum StreamDecoder {
    /// What a request says it can take.
    static let accepted = "identity"

    /// The coding of a response; `nil`: one that nobody here knows.
    enum Coding: Equatable, Sendable {
        case identity

        /// From all Content-Encoding fields.
        init?(_ fields: FieldBlock) {
            for value in fields.all(.contentEncoding) {
                for element in value.split(separator: 0x2C) {
                    let name = String(decoding: element, as: UTF8.self).lowercased().filter { !$0.isWhitespace }
                    guard name.isEmpty || name == "identity" else { return nil }
                }
            }
            self = .identity
        }
    }
}
