import Foundation
import Sluice

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A client; a task reports what it meets until it is stopped.
final class Client: Sendable {
    /// Why an order cannot be carried out.
    struct BadOrder: Error, CustomStringConvertible {
        let description: String
    }

    private let source: EventSource

    init(_ order: Order) throws {
        guard let callback = URL(string: order.callbackUrl) else {
            throw BadOrder(description: "callbackUrl is no URL")
        }
        let source = try EventSource(url: order.streamUrl, options: EventSourceOptions(order))
        self.source = source
        Task {
            var number = 0
            for await item in source.items {
                guard let report = Report(item) else { continue }
                number += 1
                await report.send(to: callback.appendingPathComponent("\(number)"))
            }
        }
    }

    func restart() { source.restart() }

    /// The report that is on its way still arrives; none follows. The task is not cancelled: URLSession on Linux may
    /// wait for itself when a request is cancelled that is just being answered.
    func stop() { source.close() }
}

extension EventSourceOptions {
    init(_ order: Order) throws {
        self.init()
        if let delay = order.initialDelayMs { retry.initial = .milliseconds(delay) }
        // Without an order to do so a test's silence is no failure.
        idleTimeout = order.readTimeoutMs.map { .milliseconds($0) }
        lastEventID = order.lastEventId ?? ""
        for (name, value) in order.headers ?? [:] {
            guard let name = HTTPField.Name(name) else {
                throw Client.BadOrder(description: "\(name) is no field's name")
            }
            headers.append(HTTPField(name: name, value: value))
        }
        if let method = order.method {
            guard let method = HTTPRequest.Method(method) else {
                throw Client.BadOrder(description: "\(method) is no method")
            }
            self.method = method
        }
        body = Array((order.body ?? "").utf8)
        // Tests send what they like: large events, and the same id again.
        lineLimit = 64 << 20
        eventLimit = 64 << 20
        rememberedIDs = 0
    }
}

extension Report {
    init?(_ item: EventSource.Item) {
        switch item {
        case .event(let event):
            self.init(kind: "event", event: Event(type: event.type, data: event.data, id: event.lastEventID))
        case .comment(let text): self.init(kind: "comment", comment: text)
        case .error(let error): self.init(kind: "error", error: "\(error)")
        default: return nil
        }
    }

    /// Comes back when the other side has it: reports arrive in order, and a slow reader is waited for.
    func send(to url: URL) async {
        do {
            var request = URLRequest(url: url)
            request.httpMethod = "POST"
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
            request.httpBody = try JSONEncoder().encode(self)
            _ = try await URLSession.shared.data(for: request)
        } catch {
            FileHandle.standardError.write(Data("a report was not taken: \(error)\n".utf8))
        }
    }
}
