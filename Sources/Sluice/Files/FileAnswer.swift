internal import SluiceHTTP
internal import SluiceIO

/// What a request for a file that is there is answered with.
struct FileAnswer: Sendable {
    let status: UInt16
    var fields = FieldBlock()
    /// Empty where the status has none, or a text of its own (412, 416).
    var body = FileBody([])

    /// - Parameters:
    ///   - isEncoded: the file is a compressed form of what was asked for. Several parts of it cannot be told from one
    ///     encoded body by its readers, so there are none.
    ///   - now: seconds since 1970.
    ///   - boundary: what stands between the parts of a multipart body.
    init(
        to head: RequestHead, _ facts: FileFacts, type: String, isEncoded: Bool = false, cacheControl: String?,
        now: Int64, boundary: @autoclosure () -> String
    ) {
        let tag = EntityTag(facts)
        // A file of the future was changed now at the latest (RFC 9110, section 8.8.2.1).
        let modified = min(max(0, facts.modifiedSeconds), now)
        let conditions = FileConditions(tag: tag, modified: modified, now: now)
        switch conditions.outcome(head.fields) {
        case .failed:
            status = 412
            return
        case .notModified: status = 304
        case .met:
            // Only GET has ranges (section 14.2).
            let range = head.method == .get && conditions.allowsRange(head.fields) ? head.fields.first(.range) : nil
            var ranges = ByteRanges(range, size: facts.size)
            if isEncoded, case .parts(let parts) = ranges, parts.count > 1 { ranges = .whole }
            switch ranges {
            case .unsatisfiable:
                status = 416
                fields.append(.contentRange, "bytes */\(facts.size)")
                return
            case .whole:
                status = 200
                fields.append(.contentType, type)
                body = FileBody([.file(0..<facts.size)])
            case .parts(let parts):
                status = 206
                if parts.count == 1 {
                    fields.append(.contentType, type)
                    fields.append(.contentRange, FileBody.contentRange(parts[0], size: facts.size))
                    body = FileBody([.file(parts[0])])
                } else {
                    let boundary = boundary()
                    fields.append(.contentType, "multipart/byteranges; boundary=\(boundary)")
                    body = .multipart(parts, size: facts.size, type: type, boundary: boundary)
                }
            }
            fields.append(name: "Accept-Ranges", value: "bytes")
        }
        fields.append(.lastModified, CivilTime(unixSeconds: modified).httpDate)
        fields.append(.etag, tag.text)
        if let cacheControl { fields.append(.cacheControl, cacheControl) }
    }
}
