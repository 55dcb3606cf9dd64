internal import SluiceHTTP

/// What a request's conditions say of a file (RFC 9110, section 13).
struct FileConditions: Sendable {
    let tag: EntityTag
    /// When the file was last changed, in seconds since 1970.
    let modified: Int64
    /// Seconds since 1970.
    let now: Int64

    enum Outcome: Sendable, Hashable {
        /// It is served.
        case met
        /// 304: the client has it.
        case notModified
        /// 412.
        case failed
    }

    /// In the order of section 13.2.2, for GET and HEAD. A date that cannot be read is no condition.
    func outcome(_ fields: FieldBlock) -> Outcome {
        if fields.has(.ifMatch) {
            if !tag.isNamed(by: fields.all(.ifMatch), isWeak: false) { return .failed }
        } else if let date = Self.ifUnmodifiedSince(fields), modified > date {
            return .failed
        }
        if fields.has(.ifNoneMatch) {
            return tag.isNamed(by: fields.all(.ifNoneMatch), isWeak: true) ? .notModified : .met
        }
        if let date = Self.date(fields.string(.ifModifiedSince)), modified <= date { return .notModified }
        return .met
    }

    /// Whether a Range counts: If-Range is not there, or the client's part is of this very file (section 13.1.5).
    func allowsRange(_ fields: FieldBlock) -> Bool {
        guard let value = fields.first(named: "If-Range") else { return true }
        if value.contains(UInt8(ascii: "\"")) { return tag.isExactly(value) }
        // A date says which file it was only when it was not changed twice in that second (section 8.8.2.2).
        return Self.date(String(decoding: value, as: UTF8.self)) == modified && modified < now
    }

    private static func ifUnmodifiedSince(_ fields: FieldBlock) -> Int64? {
        date(fields.first(named: "If-Unmodified-Since").map { String(decoding: $0, as: UTF8.self) })
    }

    private static func date(_ text: String?) -> Int64? { text.flatMap { HTTPDate.unixSeconds($0) } }
}
