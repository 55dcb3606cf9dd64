import Sluice

@main struct Hello {
    static func main() async throws {
        let address = CommandLine.arguments.dropFirst().first ?? "127.0.0.1:8080"
        let gateway = try Gateway(listen: address) { request in
            guard request.accepts(.eventStream) else { return .text("ok") }
            return .eventStream { stream in
                for await _ in stream.ticks(every: .seconds(2)) {
                    try await stream.send(ServerSentEvent("hello", event: "message", id: "1"))
                }
            }
        }
        print("listening on \(gateway.addresses.map(\.description).joined(separator: ", "))")
        try await gateway.run()
    }
}
