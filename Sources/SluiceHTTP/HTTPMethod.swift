/// A request method. Methods are case-sensitive (RFC 9110, 9.1): `get` is not `GET`.
package enum HTTPMethod: Hashable, Sendable, CustomStringConvertible {
    case get
    case head
    case post
    case put
    case delete
    case options
    case patch
    case connect
    case trace
    case other(String)

    /// The method that has this name.
    package init(_ name: String) {
        self = unsafe Array(name.utf8).withUnsafeBytes { unsafe HTTPMethod(bytes: $0) }
    }

    /// The method that these bytes name. They are taken as they are; the parser has checked that they are a token.
    package init(bytes: UnsafeRawBufferPointer) {
        for known in HTTPMethod.known where unsafe ASCII.equal(bytes, known.staticName) {
            self = known
            return
        }
        self = unsafe .other(String(decoding: bytes, as: UTF8.self))
    }

    package var name: String {
        if case .other(let name) = self { return name }
        return staticName.description
    }

    package var description: String { name }

    private static let known: [HTTPMethod] = [
        .get, .post, .head, .options, .put, .delete, .patch, .connect, .trace,
    ]

    private var staticName: StaticString {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .patch: "PATCH"
        case .connect: "CONNECT"
        case .trace: "TRACE"
        case .other: ""
        }
    }
}
