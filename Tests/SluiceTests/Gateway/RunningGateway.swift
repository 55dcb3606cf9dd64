import Logging
import SluiceTestSupport

@testable import Sluice

/// A gateway in this process, on a port of its own, for the length of a test.
struct RunningGateway {
    let gateway: Gateway
    let task: Task<Void, any Error>

    var port: Int { gateway.addresses.compactMap(\.port).first ?? 0 }

    func client(receiveBuffer: Int32? = nil) throws -> RawClient {
        try RawClient(port: port, receiveBuffer: receiveBuffer)
    }

    /// Subscribes and reads the response head.
    func subscriber(_ path: String, headers: String = "") async throws -> (client: RawClient, head: String) {
        let client = try client()
        try await client.send("GET \(path) HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\(headers)\r\n")
        return (client, try await client.read(through: "\r\n\r\n"))
    }

    /// Publishes an event to `news`, when there is room.
    func publish(_ event: ServerSentEvent) async throws {
        while true {
            do {
                try gateway.hub.publish(event, to: "news")
                return
            } catch {
                guard error.kind == .full else { throw error }
                await Task.yield()
            }
        }
    }

    /// Publishes one event and returns the whole response.
    func publish(_ data: String, to path: String) async throws -> String {
        let client = try client()
        try await client.send(
            "POST \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: \(data.utf8.count)\r\n\r\n\(data)"
        )
        return try await client.readToEnd()
    }
}

/// Runs a gateway while `body` does, and drains it afterwards.
func withGateway(
    _ configuration: Configuration, handler: Gateway.Handler? = nil, _ body: (RunningGateway) async throws -> Void
) async throws {
    var configuration = configuration
    if configuration.listeners.isEmpty { configuration.listeners = [ListenerOptions("127.0.0.1:0")] }
    if configuration.workers == nil { configuration.workers = 2 }
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let gateway = try Gateway(configuration: configuration, handler: handler, logger: logger)
    let running = RunningGateway(gateway: gateway, task: Task { try await gateway.run() })
    do {
        try await body(running)
    } catch {
        running.task.cancel()
        throw error
    }
    running.task.cancel()
    try await running.task.value
}

extension Configuration {
    /// One topic `news` at `/news`, published to at `/publish/news`, and a template `room.{name}` likewise.
    static func make(_ change: (inout TopicOptions) -> Void = { _ in }) -> Configuration {
        var configuration = Configuration()
        var options = TopicOptions()
        options.retry = .zero
        change(&options)
        configuration.topics = ["news": options, "room.{name}": options]
        configuration.routes = [
            Route(RouteMatch(path: "/news"), .subscribe("news")),
            Route(RouteMatch(path: "/rooms/{name}"), .subscribe("room.{name}")),
            Route(RouteMatch(path: "/publish/news"), .publish(topic: "news")),
            Route(RouteMatch(path: "/publish/rooms/{name}"), .publish(topic: "room.{name}")),
            Route(RouteMatch(path: "/ok"), .respond(FixedResponse(body: "ok"))),
        ]
        configuration.shutdownGrace = .seconds(5)
        return configuration
    }
}
