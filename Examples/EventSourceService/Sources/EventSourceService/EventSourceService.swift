import Foundation
import Sluice

/// A test service: it makes `EventSource` drivable over HTTP, for contract tests that know nothing of Swift.
///
/// - `GET /` tells what it can do, `DELETE /` ends it.
/// - `POST /` with an `Order` starts a client and answers with its `Location`. What that client meets is reported, in
///   order, by `POST {callbackUrl}/{n}`, n from 1.
/// - `POST <Location>` with `{"command": "restart"}`, and `DELETE <Location>`.
@main struct EventSourceService {
    static func main() async throws {
        let address = CommandLine.arguments.dropFirst().first ?? "127.0.0.1:8000"
        let (stops, stop) = AsyncStream.makeStream(of: Void.self)
        let clients = Clients()
        let gateway = try Gateway(listen: address) { request in
            switch (request.method, request.path) {
            case (.get, "/"): try .json(Capabilities())
            case (.post, "/"): await start(try await request.body(upTo: 1 << 20), clients)
            case (.delete, "/"):
                {
                    stop.finish()
                    return .status(.noContent)
                }()
            case (.post, let path): await command(try await request.body(upTo: 1 << 20), clients.find(path))
            case (.delete, let path): .status(await clients.remove(path) ? .noContent : .notFound)
            default: .status(.methodNotAllowed)
            }
        }
        // Not by `print`, which keeps it in a buffer when somebody reads it through a pipe.
        for address in gateway.addresses {
            FileHandle.standardOutput.write(Data("listening on http://\(address)\n".utf8))
        }
        let serving = Task { try await gateway.run() }
        for await _ in stops {}
        await clients.removeAll()
        serving.cancel()
        try await serving.value
    }

    private static func start(_ body: [UInt8], _ clients: Clients) async -> Response {
        do {
            let order = try JSONDecoder().decode(Order.self, from: Data(body))
            var response = Response.status(.created)
            response.headerFields[.location] = await clients.add(try Client(order))
            return response
        } catch {
            return .text("\(error)\n", status: .badRequest)
        }
    }

    private static func command(_ body: [UInt8], _ client: Client?) -> Response {
        guard let client else { return .status(.notFound) }
        guard let command = try? JSONDecoder().decode(Command.self, from: Data(body)), command.command == "restart"
        else { return .text("the command is not known\n", status: .badRequest) }
        client.restart()
        return .status(.accepted)
    }
}

extension Response {
    static func json(_ value: some Encodable) throws -> Response {
        .bytes(Array(try JSONEncoder().encode(value)), contentType: "application/json")
    }
}

/// The clients that run, by the path of each.
actor Clients {
    private var clients: [String: Client] = [:]
    private var made = 0

    func add(_ client: Client) -> String {
        made += 1
        let path = "/clients/\(made)"
        clients[path] = client
        return path
    }

    func find(_ path: String) -> Client? { clients[path] }

    func remove(_ path: String) -> Bool {
        guard let client = clients.removeValue(forKey: path) else { return false }
        client.stop()
        return true
    }

    func removeAll() {
        for client in clients.values { client.stop() }
        clients = [:]
    }
}
