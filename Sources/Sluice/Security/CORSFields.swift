package import SluiceHTTP

/// The fields by which a policy speaks (WHATWG Fetch, section 3.2).
extension CORSPolicy {
    /// The fields of an ordinary response, to be added to its own. An origin that is not allowed gets none that grant
    /// anything, so that its browser refuses. Unless every origin is allowed the response says that it varies with the
    /// origin, also when the request had none: else a cache would hand one origin's answer to another.
    package func fields(forOrigin origin: ArraySlice<UInt8>?) -> FieldBlock {
        var fields = FieldBlock()
        guard let granted = grant(origin, &fields) else { return fields }
        addGrant(granted, to: &fields)
        fields.append(.accessControlExposeHeaders, Self.list(["Last-Event-ID"] + exposedHeaders))
        return fields
    }

    /// Takes away what a server behind the gateway says of the same: where a route has a policy, that one holds.
    package static func remove(from fields: inout FieldBlock) {
        let prefix = "access-control-"
        fields.removeAll { _, name, _ in
            ASCII.equalIgnoringCase(name.prefix(prefix.utf8.count), prefix)
        }
    }

    /// The fields of a preflight's response.
    ///
    /// - Parameters:
    ///   - requestedMethod: Access-Control-Request-Method.
    ///   - requestedHeaders: Access-Control-Request-Headers, repeated only where the policy allows `*`.
    ///   - routeMethods: what the route takes; empty: every method.
    package func preflight(
        origin: ArraySlice<UInt8>?, requestedMethod: ArraySlice<UInt8>?, requestedHeaders: ArraySlice<UInt8>?,
        routeMethods: [String]
    ) -> FieldBlock {
        var fields = FieldBlock()
        guard let granted = grant(origin, &fields) else { return fields }
        addGrant(granted, to: &fields)
        if !routeMethods.isEmpty {
            fields.append(.accessControlAllowMethods, routeMethods.joined(separator: ", "))
        } else if let requestedMethod, HTTPToken.isValid(requestedMethod) {
            fields.append(.accessControlAllowMethods, String(decoding: requestedMethod, as: UTF8.self))
        }
        fields.append(.accessControlAllowHeaders, allowedHeaders(requestedHeaders))
        fields.append(.accessControlMaxAge, String(max(0, maxAge.components.seconds)))
        return fields
    }

    private enum Grant {
        case any
        case origin(ArraySlice<UInt8>)
    }

    /// Whom the response is for; `nil` when nobody is granted anything.
    private func grant(_ origin: ArraySlice<UInt8>?, _ fields: inout FieldBlock) -> Grant? {
        if origins.contains("*") { return .any }
        fields.append(.vary, "Origin")
        guard let origin, origins.contains(where: { OriginPattern.matches($0, origin) }) else { return nil }
        return .origin(origin)
    }

    private func addGrant(_ grant: Grant, to fields: inout FieldBlock) {
        switch grant {
        case .any:
            // Browsers refuse credentials together with `*`, and repeating every origin would give them to all.
            fields.append(.accessControlAllowOrigin, "*")
        case .origin(let origin):
            fields.append(.accessControlAllowOrigin, origin)
            if credentials { fields.append(.accessControlAllowCredentials, "true") }
        }
    }

    private func allowedHeaders(_ requested: ArraySlice<UInt8>?) -> String {
        var names = ["Last-Event-ID", "Authorization", "Cache-Control", "Content-Type"]
        names += headers.filter { $0 != "*" }
        if headers.contains("*"), let requested {
            for name in requested.split(separator: UInt8(ascii: ",")) {
                let name = String(decoding: name, as: UTF8.self).filter { $0 != " " && $0 != "\t" }
                if HTTPToken.isValid(name) { names.append(name) }
            }
        }
        return Self.list(names)
    }

    private static func list(_ names: [String]) -> String {
        var seen: Set<String> = []
        return names.filter { seen.insert($0.lowercased()).inserted }.joined(separator: ", ")
    }
}
