/// Why a publish request is refused: nothing of it was published.
struct PublishRefusal: Error, Sendable, Hashable {
    let status: UInt16
    /// One line for a person.
    let reason: String

    init(_ status: UInt16, _ reason: String) {
        self.status = status
        self.reason = reason
    }

    /// A refusal that names the place in the body: `[3].id`, for a body that is one event `id`.
    static func at(_ index: Int?, _ key: String? = nil, _ status: UInt16 = 400, _ reason: String) -> PublishRefusal {
        let place = (index.map { "[\($0)]" } ?? "") + (key.map { index == nil ? $0 : "." + $0 } ?? "")
        return PublishRefusal(status, (place.isEmpty ? "" : place + ": ") + reason)
    }

    /// The body holds more events than a request may bring.
    static func tooMany(atMost limit: Int) -> PublishRefusal {
        PublishRefusal(413, "a request publishes at most \(limit) events; nothing was published")
    }

    /// A peer's text inside an error: in quotes, on one line, and not too much of it.
    static func shown(_ text: String) -> String {
        let isLong = text.unicodeScalars.count > 64
        return JSONText.quoted(isLong ? String(String.UnicodeScalarView(text.unicodeScalars.prefix(64))) + "..." : text)
    }
}
