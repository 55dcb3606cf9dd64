/// Why a message was refused, and the status that says so: what a server answers before it closes. A response parser
/// uses 502, because there it is the upstream that is wrong.
package struct HTTPError: Error, Equatable, Sendable, CustomStringConvertible {
    /// 400, 408, 413, 414, 417, 431, 501, 502 or 505.
    package let status: UInt16
    /// One plain phrase, without a full stop.
    package let reason: StaticString

    /// An error with a status and one plain phrase.
    package init(status: UInt16, reason: StaticString) {
        self.status = status
        self.reason = reason
    }

    static func bad(_ reason: StaticString) -> HTTPError { HTTPError(status: 400, reason: reason) }

    /// The same finding about an upstream's response.
    var ofUpstream: HTTPError { HTTPError(status: 502, reason: reason) }

    package var description: String { "\(status): \(reason)" }

    package static func == (left: HTTPError, right: HTTPError) -> Bool {
        left.status == right.status && left.reason.description == right.reason.description
    }
}
