import Sluice
import Testing

@testable import SluiceConfiguration

/// Routes that pass requests on.
struct ProxyTests {
    private func file(_ target: String) -> String {
        with("upstreams: {app: http://127.0.0.1:3000}\nroutes: [{match: \"/**\", proxy: \(target)}]")
    }

    private func options(_ target: String) throws -> ProxyOptions? {
        guard case .proxy(let options) = try read(file(target)).configuration.routes.first?.target.kind else {
            return nil
        }
        return options
    }

    @Test func `the short form is the name of an upstream`() throws {
        #expect(try options("app") == ProxyOptions(upstream: "app"))
    }

    @Test func `every key is read`() throws {
        let read = try options(
            "{upstream: app, heartbeat: 5s, on_upstream_loss: {event: gone, data: \"{}\"}, upgrade: [websocket, chat]}")
        let expected = ProxyOptions(
            upstream: "app", heartbeat: .seconds(5), onUpstreamLoss: .init(event: "gone", data: "{}"),
            upgrade: ["websocket", "chat"])
        #expect(read == expected)
        #expect(try options("{upstream: app, heartbeat: off}")?.heartbeat == nil)
    }

    @Test(arguments: [
        ("ap", "there is no upstream \"ap\""), ("{upstream: app, heartbeat: 0s}", "expected at least"),
        ("{upstream: app, upgrade: [\"web socket\"]}", "\"web socket\" is not the name of a protocol"),
        ("{upstream: app, on_upstream_loss: {event: \"\", data: x}}", "expected the type of an event"),
    ])
    func `what cannot work is said`(target: String, reason: String) {
        let found = errors(in: file(target))
        #expect(found.count == 1 && found[0].contains(reason), "\(found)")
    }
}
