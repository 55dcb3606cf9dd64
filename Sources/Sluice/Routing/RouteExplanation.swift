import SluiceHTTP
import SluiceIO

/// Which route takes a request, and why those before it do not.
package struct RouteExplanation: Sendable, Hashable {
    /// A route that was looked at and did not match.
    package struct Passed: Sendable, Hashable {
        package let route: Int
        /// Its match in short.
        package let match: String
        /// The first thing that did not fit.
        package let reason: String
    }

    package enum Outcome: Sendable, Hashable {
        case route(Int, match: String, parameters: PathParameters, target: String)
        /// A CORS preflight is answered by this route's policy, before methods and fields are looked at.
        case preflight(Int, match: String)
        /// No route matches: the status, and why.
        case refused(status: Int, reason: String)
    }

    package let passed: [Passed]
    package let outcome: Outcome

    /// Looks a request up. `hasCORS` says which routes answer preflights.
    init(
        _ head: RequestHead, client: IPAddress?, _ routes: [(match: RouteMatch, target: RouteTarget)],
        mergesSlashes: Bool = true,
        hasCORS: (Int) -> Bool
    ) throws(RouteTable.Fault) {
        let table = try RouteTable(
            routes.map { ($0.match, defaultMethods: $0.target.standardMethods) }, mergesSlashes: mergesSlashes)
        let path: RequestPath
        do throws(RequestPath.Fault) {
            path = try table.path(of: head)
        } catch {
            passed = []
            outcome = .refused(status: 400, reason: Self.reason(error))
            return
        }
        if head.method == .options, head.fields.has(.origin),
            let method = head.fields.first(.accessControlRequestMethod),
            let route = table.preflight(head, requestedMethod: method, client: client, where: hasCORS)
        {
            passed = []
            outcome = .preflight(route, match: routes[route].match.summary)
            return
        }
        let lookup = table.lookup(head, path: path, client: client)
        let end: Int
        switch lookup {
        case .route(let route, let parameters):
            end = route
            let (match, target) = routes[route]
            outcome = .route(route, match: match.summary, parameters: parameters, target: target.summary)
        case .methodNotAllowed(let methods):
            end = routes.count
            let allowed = methods.joined(separator: ", ")
            outcome = .refused(status: 405, reason: "\(head.method) is not among what this path serves: \(allowed)")
        case .notFound, .badPath:
            end = routes.count
            outcome = .refused(status: 404, reason: "no route matches")
        }
        passed = (0..<end).compactMap { index in
            let route = table.routes[index]
            return route.mismatch(head, path, client).map { mismatch in
                let words = MismatchWords(route, routes[index].match, head, client)
                return Passed(route: index, match: routes[index].match.summary, reason: words.reason(mismatch))
            }
        }
    }

    /// Whether a route answers.
    package var isServed: Bool {
        if case .refused = outcome { false } else { true }
    }

    private static func reason(_ fault: RequestPath.Fault) -> String {
        switch fault {
        case .relative: "the path does not begin with /"
        case .brokenEscape: "the path has a % without two hexadecimal digits"
        case .nul: "the path holds a NUL"
        case .aboveRoot: "the path climbs above the root"
        }
    }
}

extension RouteExplanation: CustomStringConvertible {
    /// A line for each route that was passed by, and one for what answers.
    package var description: String {
        let lines = passed.map { "routes[\($0.route)] \($0.match): \($0.reason)" }
        return (lines + [last]).joined(separator: "\n")
    }

    private var last: String {
        switch outcome {
        case .route(let route, let match, let parameters, let target):
            let filled = zip(parameters.names, parameters.values).map { ", \($0) = \"\($1)\"" }.joined()
            return "routes[\(route)] \(match): takes it\(filled): \(target)"
        case .preflight(let route, let match): return "routes[\(route)] \(match): its cors answers the preflight"
        case .refused(let status, let reason): return "\(status): \(reason)"
        }
    }
}

extension RouteMatch {
    /// In short: methods, hosts and path, and what else there is: `POST events.example.com/market (header X-Version)`.
    package var summary: String {
        var text = methods.isEmpty ? "" : methods.joined(separator: ",") + " "
        text += hosts.joined(separator: ",") + path
        var rest = query.keys.sorted().map { "query \($0)" } + headers.keys.sorted().map { "header \($0)" }
        if !clients.isEmpty { rest.insert("client \(clients.joined(separator: ","))", at: 0) }
        if let accept { rest.append("accept \(accept)") }
        return rest.isEmpty ? text : text + " (\(rest.joined(separator: ", ")))"
    }
}
