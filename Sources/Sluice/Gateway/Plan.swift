internal import HTTPTypes
internal import Logging
internal import SluiceHTTP
internal import SluiceIO
internal import SluiceTLS
internal import Synchronization

/// What a configuration comes to: made once when the gateway starts, read by all workers.
final class Plan: Sendable {
    /// A class: serving a request copies nothing of it.
    final class PlannedRoute: Sendable {
        let target: Target
        let cors: CORSPolicy?
        let authorization: Authorization?
        let methods: [String]
        let rewrite: PathRewrite?
        let requestHeaders: HeaderEdits?
        let responseHeaders: HeaderEdits?
        let limits: RouteGuard?
        let securityHeaders: SecurityHeaders?
        let showsRequestID: Bool?

        init(_ route: Route, _ target: Target) {
            self.target = target
            cors = route.cors
            authorization = route.authorization
            methods = route.match.methods.isEmpty ? route.target.standardMethods : route.match.methods
            rewrite = route.rewrite
            requestHeaders = route.requestHeaders
            responseHeaders = route.responseHeaders
            limits = route.limits.map { RouteGuard($0) }
            securityHeaders = route.securityHeaders
            showsRequestID = route.requestID
        }
    }

    enum Target: Sendable {
        case subscribe([NameTemplate])
        case choose(query: String, allow: [TopicPattern])
        case publish(PublishTopics)
        case respond(PlannedResponse)
        case proxy(PlannedProxy)
        case redirect(RedirectTemplate, status: UInt16)
        case files(PlannedFiles)
    }

    struct PlannedResponse: Sendable {
        let status: UInt16
        let fields: FieldBlock
        let body: [UInt8]
    }

    struct PlannedListener: Sendable {
        let address: SocketAddress
        let tls: TLSFiles?
        /// HTTP/2 may be spoken without TLS.
        let allowsPlainHTTP2: Bool
        /// Connections begin with a header of the PROXY protocol.
        let readsProxyHeader: Bool
    }

    let configuration: Configuration
    let limits: Limits
    /// Of the limits, in milliseconds: what every request asks for.
    let requestHeadTimeout: UInt64
    let keepAlive: UInt64
    let writeTimeout: UInt64
    let httpLimits: HTTP1Limits
    let http2Limits: HTTP2Limits
    /// Of upstreams' answers.
    let upstreamHTTPLimits = HTTP1Limits()
    let connectionLimit: Int
    let table: RouteTable
    let routes: [PlannedRoute]
    /// In the order of their names.
    let pools: [UpstreamPool]
    let listeners: [PlannedListener]
    let trustedProxies: [IPNetwork]
    let handler: (@Sendable (Request) async throws -> Response)?
    let ledger: ConnectionLedger
    let feedSeats: FeedSeats
    let fileSeats: FileSeats
    let logger: Logger
    let access: AccessSink?

    init(
        _ configuration: Configuration, handler: (@Sendable (Request) async throws -> Response)?, logger: Logger
    ) throws(SluiceError) {
        self.configuration = configuration
        self.handler = handler
        self.logger = logger
        limits = configuration.limits
        requestHeadTimeout = limits.requestHeadTimeout.milliseconds
        keepAlive = limits.keepAlive.milliseconds
        writeTimeout = limits.writeTimeout.milliseconds
        httpLimits = HTTP1Limits(
            requestLine: limits.requestLine, head: limits.requestHead, fields: limits.requestFields)
        http2Limits = HTTP2Limits(
            streams: limits.streams, requestLine: limits.requestLine, head: limits.requestHead,
            fields: limits.requestFields)
        // What listeners, selectors and files need is kept free, so that connections never use the last descriptor.
        let descriptors = DescriptorLimit.raise()
        let possibleFeeds = FeedAssignment.most(sources: configuration.sources, topics: configuration.topics)
        feedSeats = FeedSeats(limit: configuration.limits.feeds ?? max(16, descriptors / 4))
        fileSeats = FileSeats(limit: max(16, descriptors / 4))
        let possibleFiles = configuration.routes.contains { $0.target.servesFiles } ? fileSeats.limit : 0
        connectionLimit =
            configuration.limits.connections
            ?? max(16, descriptors - 64 - descriptors / 50 - min(possibleFeeds, feedSeats.limit) - possibleFiles)
        ledger = ConnectionLedger(perAddress: limits.connectionsPerAddress)

        var routes: [PlannedRoute] = []
        pools = try Plan.pools(configuration.upstreams)
        for route in configuration.routes { routes.append(try Plan.plan(route, pools)) }
        self.routes = routes
        do {
            table = try RouteTable(
                zip(configuration.routes, routes).map { ($0.match, $1.methods) },
                mergesSlashes: configuration.mergesSlashes)
        } catch {
            throw SluiceError(.configuration, "\(error)")
        }
        var networks: [IPNetwork] = []
        for text in configuration.trustedProxies {
            guard let network = IPNetwork(text) else {
                throw SluiceError(.configuration, "trusted_proxies: \(text) is no network such as 10.0.0.0/8")
            }
            networks.append(network)
        }
        trustedProxies = networks
        var listeners: [PlannedListener] = []
        for options in configuration.listeners { listeners.append(try Plan.plan(options, logger)) }
        self.listeners = listeners
        access = try AccessSink(configuration.log.access, logger)
    }

    private static func plan(_ options: ListenerOptions, _ logger: Logger) throws(SluiceError) -> PlannedListener {
        let address: SocketAddress
        do {
            address = try SocketAddress.listening(options.address)
        } catch {
            throw SluiceError(.configuration, "listener \(options.address): \(error)")
        }
        var tls: TLSFiles?
        if let options = options.tls { tls = try TLSFiles(options, logger) }
        return PlannedListener(
            address: address, tls: tls, allowsPlainHTTP2: tls == nil && options.h2c,
            readsProxyHeader: options.proxyProtocol)
    }

    private static func plan(_ route: Route, _ pools: [UpstreamPool]) throws(SluiceError) -> PlannedRoute {
        let target: Target
        do {
            switch route.target.kind {
            case .subscribe(let topics):
                target = .subscribe(try topics.map { name throws(PatternError) in try NameTemplate(name) })
            case .choose(let query, let allow):
                let allowed = try allow.map { pattern throws(PatternError) in try TopicPattern(pattern) }
                target = .choose(query: query, allow: allowed)
            case .publish(let topic):
                target = .publish(.named(try NameTemplate(topic)))
            case .publishAllowed(let patterns):
                target = .publish(.allowed(try patterns.map { try TopicPattern($0) }))
            case .respond(let response):
                target = .respond(try PlannedResponse(response))
            case .proxy(let options):
                target = .proxy(try PlannedProxy(options, pools))
            case .redirect(let redirect):
                target = .redirect(try RedirectTemplate(redirect.location), status: UInt16(clamping: redirect.status))
            case .files(let options):
                target = .files(
                    PlannedFiles(options, pattern: try PathPattern(route.match.path), rewrite: route.rewrite))
            }
        } catch {
            throw error as? SluiceError ?? SluiceError(.configuration, "route \(route.match.path): \(error)")
        }
        return PlannedRoute(route, target)
    }
}

extension Plan.PlannedResponse {
    init(_ response: FixedResponse) throws(SluiceError) {
        guard let status = UInt16(exactly: response.status), (200...599).contains(status) else {
            throw SluiceError(.configuration, "respond: a status is a number from 200 to 599")
        }
        var fields = FieldBlock()
        var hasType = false
        for (name, value) in response.headers {
            guard HTTPField.Name(name) != nil, HTTPField.isValidValue(value) else {
                throw SluiceError(.configuration, "respond: \(name) with the value \(value) is no valid field")
            }
            hasType = hasType || name.lowercased() == "content-type"
            fields.append(name: name, value: value)
        }
        if let file = response.file {
            do {
                body = try FileContent.read(file)
            } catch {
                throw SluiceError(.configuration, "respond: \(file) cannot be read: \(error)")
            }
        } else {
            body = Array(response.body.utf8)
        }
        if !hasType, !body.isEmpty {
            fields.append(name: "Content-Type", value: Self.mediaType(ofFile: response.file))
        }
        self.status = status
        self.fields = fields
    }

    private static func mediaType(ofFile name: String?) -> String {
        name.flatMap { ContentTypes().type(ofFile: $0.utf8) } ?? "text/plain; charset=utf-8"
    }
}
