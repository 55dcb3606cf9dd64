/// Why compressed content cannot be read on.
package struct InflateError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// It is not what it claims to be, or was changed on its way.
        case corrupt
        /// Something else follows behind its end.
        case trailing
        /// It ended in the middle.
        case truncated
        /// There is no memory for a decoder.
        case memory
    }

    package let kind: Kind
    /// zlib's own words, where it has any.
    package let reason: String?

    init(_ kind: Kind, reason: String? = nil) {
        self.kind = kind
        self.reason = reason
    }

    package var description: String {
        let text =
            switch kind {
            case .corrupt: "the compressed content is corrupt"
            case .trailing: "something follows behind the end of the compressed content"
            case .truncated: "the compressed content ended in the middle"
            case .memory: "there is no memory to decompress the content"
            }
        guard let reason else { return text }
        return "\(text): \(reason)"
    }
}
