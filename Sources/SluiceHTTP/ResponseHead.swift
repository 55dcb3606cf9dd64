/// The head of a response: status, fields, and how its body is framed.
package struct ResponseHead: Sendable {
    /// 100 to 599.
    package var status: UInt16
    /// Parsed: what the upstream speaks. To be written: what the client speaks.
    package var version: HTTPVersion
    package var fields: FieldBlock
    package var body: BodyFraming
    /// Whether the connection may carry another exchange after this one (RFC 9112, 9.3).
    package var keepAlive: Bool

    /// A head; without a body and on a connection that stays, unless told otherwise.
    package init(
        status: UInt16, fields: FieldBlock = FieldBlock(), body: BodyFraming = .none, version: HTTPVersion = .http11,
        keepAlive: Bool = true
    ) {
        self.status = status
        self.version = version
        self.fields = fields
        self.body = body
        self.keepAlive = keepAlive
    }

    /// Whether a response with this status never has a body, whatever its fields say (RFC 9112, 6.3).
    package static func isBodiless(_ status: UInt16) -> Bool { status < 200 || status == 204 || status == 304 }

    /// The usual phrase for a status (RFC 9110, 15); a plain word for those that have none.
    package static func reason(for status: UInt16) -> StaticString {
        switch status {
        case 100: "Continue"
        case 101: "Switching Protocols"
        case 103: "Early Hints"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 205: "Reset Content"
        case 206: "Partial Content"
        case 300: "Multiple Choices"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        default: status < 400 ? "Status" : errorReason(for: status)
        }
    }

    private static func errorReason(for status: UInt16) -> StaticString {
        switch status {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 416: "Range Not Satisfiable"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 422: "Unprocessable Content"
        case 425: "Too Early"
        case 426: "Upgrade Required"
        case 428: "Precondition Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 507: "Insufficient Storage"
        default: "Error"
        }
    }
}
