package import SluiceHTTP

/// Another path for the server behind a route. The query stays, and so do escapes.
public struct PathRewrite: Sendable, Equatable {
    /// What is taken off the path's beginning, where it stands there as whole segments: `/api`.
    public var stripPrefix: String?
    /// What is put before the path then: `/v1`.
    public var addPrefix: String?

    /// A rewrite.
    public init(stripPrefix: String? = nil, addPrefix: String? = nil) {
        self.stripPrefix = stripPrefix
        self.addPrefix = addPrefix
    }

    /// Rewrites a request that a route took: on its path as the route saw it.
    package func apply(to head: inout RequestHead, mergesSlashes: Bool = true) {
        guard let path = try? RequestPath(head.path, mergesSlashes: mergesSlashes) else { return }
        let rest = path.bytes[(stripPrefix.flatMap { Self.end(of: $0, in: path) } ?? path.bytes.startIndex)...]
        var target = Array((addPrefix ?? "").utf8) + rest
        if target.isEmpty { target = [UInt8(ascii: "/")] }
        if let query = head.query { target += [UInt8(ascii: "?")] + query }
        head.setTarget(target)
    }

    /// Where a path goes on behind a prefix; `nil` when it does not begin with it. Segments are compared decoded, as
    /// routes compare them.
    private static func end(of prefix: String, in path: RequestPath) -> Int? {
        var end = path.bytes.startIndex
        for segment in prefix.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard end < path.bytes.endIndex else { return nil }
            let start = end &+ 1
            end = path.segmentEnd(from: start)
            let literal = PercentEscape.decoded(Array(segment)[...])
            guard path.segment(start..<end, equals: literal[...]) else { return nil }
        }
        return end
    }

    /// Why a text is no prefix; `nil` when it is one.
    package static func problem(of prefix: String) -> String? {
        guard prefix.hasPrefix("/"), !prefix.hasSuffix("/") else {
            return "expected a path such as /api, without a slash at its end, not \"\(prefix)\""
        }
        do throws(PatternError) {
            let pattern = try PathPattern(prefix)
            if pattern.takesRest || !pattern.parameterNames.isEmpty { return "a prefix has no {parameters} and no **" }
        } catch {
            return "\"\(error.pattern)\" is no path: \(error.reason)"
        }
        // What is put before a path goes out as it stands.
        var head = RequestHead.make()
        return head.setTarget(prefix.utf8) ? nil : "spaces, quotes and characters beyond ASCII are written as %XX"
    }
}
