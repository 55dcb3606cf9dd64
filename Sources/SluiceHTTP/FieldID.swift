/// A field name that Sluice has something to do with, so that it is compared once, when it is parsed.
package enum FieldID: UInt8, CaseIterable, Sendable {
    /// A name without an id of its own.
    case other = 0
    case accept, acceptEncoding, acceptLanguage
    case accessControlAllowCredentials, accessControlAllowHeaders, accessControlAllowMethods
    case accessControlAllowOrigin, accessControlExposeHeaders, accessControlMaxAge
    case accessControlRequestHeaders, accessControlRequestMethod
    case accessControlRequestPrivateNetwork, accessControlAllowPrivateNetwork
    case age, allow, authorization, cacheControl, connection
    case contentEncoding, contentLength, contentRange, contentSecurityPolicy, contentType, cookie
    case date, etag, expect, expires, forwarded, host, http2Settings
    case ifMatch, ifModifiedSince, ifNoneMatch, incremental, keepAlive
    case lastEventID, lastModified, link, location, maxForwards, origin
    case pragma, proxy, proxyAuthenticate, proxyAuthorization, proxyConnection, range, referer, retryAfter
    case secFetchSite, server, setCookie, strictTransportSecurity, te, traceparent, tracestate
    case trailer, transferEncoding, upgrade, userAgent, vary, via, wwwAuthenticate
    case xAccelBuffering, xContentTypeOptions, xForwardedFor, xForwardedHost, xForwardedProto, xRealIP, xRequestID

    /// The name in its usual spelling. Empty for `other`.
    package var name: StaticString {
        switch self {
        case .other: ""
        case .accept: "Accept"
        case .acceptEncoding: "Accept-Encoding"
        case .acceptLanguage: "Accept-Language"
        case .accessControlAllowCredentials: "Access-Control-Allow-Credentials"
        case .accessControlAllowHeaders: "Access-Control-Allow-Headers"
        case .accessControlAllowMethods: "Access-Control-Allow-Methods"
        case .accessControlAllowOrigin: "Access-Control-Allow-Origin"
        case .accessControlExposeHeaders: "Access-Control-Expose-Headers"
        case .accessControlMaxAge: "Access-Control-Max-Age"
        case .accessControlRequestHeaders: "Access-Control-Request-Headers"
        case .accessControlRequestMethod: "Access-Control-Request-Method"
        case .accessControlRequestPrivateNetwork: "Access-Control-Request-Private-Network"
        case .accessControlAllowPrivateNetwork: "Access-Control-Allow-Private-Network"
        case .age: "Age"
        case .allow: "Allow"
        case .authorization: "Authorization"
        case .cacheControl: "Cache-Control"
        case .connection: "Connection"
        case .contentEncoding: "Content-Encoding"
        case .contentLength: "Content-Length"
        case .contentRange: "Content-Range"
        case .contentSecurityPolicy: "Content-Security-Policy"
        case .contentType: "Content-Type"
        case .cookie: "Cookie"
        case .date: "Date"
        case .etag: "ETag"
        case .expect: "Expect"
        case .expires: "Expires"
        case .forwarded: "Forwarded"
        case .host: "Host"
        case .http2Settings: "HTTP2-Settings"
        case .ifMatch: "If-Match"
        case .ifModifiedSince: "If-Modified-Since"
        case .ifNoneMatch: "If-None-Match"
        case .incremental: "Incremental"
        case .keepAlive: "Keep-Alive"
        case .lastEventID: "Last-Event-ID"
        case .lastModified: "Last-Modified"
        case .link: "Link"
        case .location: "Location"
        case .maxForwards: "Max-Forwards"
        case .origin: "Origin"
        default: laterName
        }
    }

    // Half of the list, so that neither switch is longer than a page.
    private var laterName: StaticString {
        switch self {
        case .pragma: "Pragma"
        case .proxy: "Proxy"
        case .proxyAuthenticate: "Proxy-Authenticate"
        case .proxyAuthorization: "Proxy-Authorization"
        case .proxyConnection: "Proxy-Connection"
        case .range: "Range"
        case .referer: "Referer"
        case .retryAfter: "Retry-After"
        case .secFetchSite: "Sec-Fetch-Site"
        case .server: "Server"
        case .setCookie: "Set-Cookie"
        case .strictTransportSecurity: "Strict-Transport-Security"
        case .te: "TE"
        case .traceparent: "traceparent"
        case .tracestate: "Tracestate"
        case .trailer: "Trailer"
        case .transferEncoding: "Transfer-Encoding"
        case .upgrade: "Upgrade"
        case .userAgent: "User-Agent"
        case .vary: "Vary"
        case .via: "Via"
        case .wwwAuthenticate: "WWW-Authenticate"
        case .xAccelBuffering: "X-Accel-Buffering"
        case .xContentTypeOptions: "X-Content-Type-Options"
        case .xForwardedFor: "X-Forwarded-For"
        case .xForwardedHost: "X-Forwarded-Host"
        case .xForwardedProto: "X-Forwarded-Proto"
        case .xRealIP: "X-Real-IP"
        case .xRequestID: "X-Request-ID"
        default: ""
        }
    }

    /// The id of a name, compared without case; `other` when it has none.
    package static func lookup(_ name: UnsafeRawBufferPointer) -> FieldID {
        guard let first = unsafe name.first, let last = unsafe name.last else { return .other }
        var slot = slotOf(first: first, last: last, count: name.count)
        while slots[slot] != 0 {
            if let id = FieldID(rawValue: slots[slot]), unsafe ASCII.isName(name, id.name) { return id }
            slot = (slot &+ 1) & slotMask
        }
        return .other
    }

    /// The id of a name, compared without case; `other` when it has none.
    package static func lookup(_ name: String) -> FieldID {
        var name = name
        return name.withUTF8 { unsafe lookup(UnsafeRawBufferPointer($0)) }
    }

    private static let slotMask = 255

    // Open addressing by first letter, last letter and length: about four times as many slots as names.
    private static let slots: [UInt8] = {
        var slots = [UInt8](repeating: 0, count: slotMask + 1)
        for id in FieldID.allCases where id != .other {
            let name = Array(id.name.description.utf8)
            guard let first = name.first, let last = name.last else { continue }
            var slot = slotOf(first: first, last: last, count: name.count)
            while slots[slot] != 0 { slot = (slot &+ 1) & slotMask }
            slots[slot] = id.rawValue
        }
        return slots
    }()

    @inline(__always)
    private static func slotOf(first: UInt8, last: UInt8, count: Int) -> Int {
        (Int(ASCII.lowered(first)) &* 7 &+ Int(ASCII.lowered(last)) &* 31 &+ count &* 13) & slotMask
    }
}
