package import SluiceHTTP
package import SluiceIO

/// All routes, ready to be looked through: the first match in file order wins.
package struct RouteTable: Sendable {
    let routes: [CompiledRoute]
    /// Whether several slashes in a row count as one, so that `//admin` cannot pass by a rule for `/admin`.
    let mergesSlashes: Bool

    /// What is wrong with one route.
    package struct Fault: Error, Sendable, Hashable, CustomStringConvertible {
        /// The key of a match that is wrong.
        package enum Key: String, Sendable { case host, path, methods, accept, headers, query, client }
        /// The route's place in the table, from 0.
        package let route: Int
        package let key: Key
        /// What is wrong, and what would be right.
        package let error: PatternError

        package var description: String { "route \(route + 1), \(key.rawValue): \(error)" }
    }

    /// Makes a table. `defaultMethods` are those that a route's target serves by itself, for a match that names none;
    /// none there either means every method. Who serves GET serves HEAD.
    package init(
        _ matches: [(RouteMatch, defaultMethods: [String])], mergesSlashes: Bool = true
    ) throws(Fault) {
        self.mergesSlashes = mergesSlashes
        var routes: [CompiledRoute] = []
        routes.reserveCapacity(matches.count)
        for (index, match) in matches.enumerated() {
            routes.append(try CompiledRoute(match.0, defaultMethods: match.defaultMethods, index: index))
        }
        self.routes = routes
    }

    /// Everything that is wrong with these matches: at most one fault a route.
    package static func faults(in matches: [RouteMatch]) -> [Fault] {
        matches.enumerated().compactMap { index, match in
            do throws(Fault) {
                _ = try CompiledRoute(match, defaultMethods: [], index: index)
                return nil
            } catch {
                return error
            }
        }
    }

    package var count: Int { routes.count }

    /// The names of the parameters in a route's path.
    package func parameterNames(of route: Int) -> [String] { routes[route].path.parameterNames }

    /// The methods that a route takes, for `Allow` and preflights; empty: every method.
    package func methods(of route: Int) -> [String] { routes[route].methods.map(\.name) }

    /// The route for a request. The client is who asks, where that is known by its address.
    package func lookup(_ head: RequestHead, client: IPAddress? = nil) -> RouteLookup {
        do throws(RequestPath.Fault) {
            return lookup(head, path: try path(of: head), client: client)
        } catch {
            return .badPath
        }
    }

    /// A request's path as the routes see it.
    package func path(of head: RequestHead) throws(RequestPath.Fault) -> RequestPath {
        try RequestPath(head.path, mergesSlashes: mergesSlashes)
    }

    /// The route for a request whose path was read already.
    package func lookup(_ head: RequestHead, path: RequestPath, client: IPAddress? = nil) -> RouteLookup {
        var allowed: [String] = []
        for index in routes.indices {
            switch routes[index].mismatch(head, path, client) {
            case nil:
                if let parameters = routes[index].path.match(path) { return .route(index, parameters: parameters) }
            case .method:
                for method in routes[index].methods where !allowed.contains(method.name) { allowed.append(method.name) }
            default: continue
            }
        }
        return allowed.isEmpty ? .notFound : .methodNotAllowed(allowed)
    }

    /// The route that answers a CORS preflight (WHATWG Fetch, section 4.8) for a request with this method: the first
    /// candidate for the same URL and client that takes the method, else the first for the same URL and client. A
    /// preflight has neither the method nor the fields of the request that it asks for.
    package func preflight(
        _ head: RequestHead, requestedMethod: ArraySlice<UInt8>, client: IPAddress? = nil,
        where isCandidate: (Int) -> Bool
    ) -> Int? {
        guard let path = try? path(of: head) else { return nil }
        var second: Int?
        for index in routes.indices where isCandidate(index) {
            guard routes[index].mismatch(head, path, client)?.isUnknownToPreflight != false else { continue }
            if routes[index].allows(requestedMethod) { return index }
            if second == nil { second = index }
        }
        return second
    }
}

/// What a lookup finds.
package enum RouteLookup: Sendable, Hashable {
    /// The route, and the parameters of its path.
    case route(Int, parameters: PathParameters)
    /// 405: routes match but for the method. Their methods, for `Allow`.
    case methodNotAllowed([String])
    /// 404.
    case notFound
    /// 400: see ``RequestPath/Fault``.
    case badPath
}
