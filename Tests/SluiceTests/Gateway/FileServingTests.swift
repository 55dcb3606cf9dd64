import Foundation
import SluiceIO
import SluiceTestSupport
import Testing

@testable import Sluice

@Suite struct FileServingTests {
    @Test func `a program's gateway serves a folder beside its topics`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("<h1>hello</h1>".utf8).write(to: folder.appendingPathComponent("index.html"))
        var configuration = Configuration.make()
        configuration.routes.append(Route(RouteMatch(path: "/site/**"), .files(folder.path)))
        try await withGateway(configuration) { gateway in
            let client = try gateway.client()
            try await client.send("GET /site/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            let answer = try await client.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"))
            #expect(answer.hasSuffix("\r\n\r\n<h1>hello</h1>"))
        }
    }

    @Test func `a folder that is not there is a problem of the configuration`() {
        var configuration = Configuration.make()
        configuration.listeners = [ListenerOptions(":0")]
        configuration.routes.append(Route(RouteMatch(path: "/site/**"), .files("/none")))
        #expect(
            configuration.problems().map(\.description) == [
                "routes[5].files.root: the folder /none cannot be opened: No such file or directory (ENOENT)"
            ])
    }

    @Test func `seats of open files are given back`() {
        let seats = FileSeats(limit: 1)
        func isFree() -> Bool {
            switch seats.take() {
            case .some: true
            case .none: false
            }
        }
        #expect(isFree())
        var held = seats.take()
        #expect(!isFree())
        #expect(!isFree())
        held = nil
        _ = consume held
        #expect(isFree())
    }

    @Test func `a client keeps a quarter of the seats at most`() throws {
        let seats = FileSeats(limit: 8)
        let (one, other) = (LimitKey(IPAddress("192.0.2.1")), LimitKey(IPAddress("192.0.2.2")))
        var kept = [FileTransferSeat(seats), FileTransferSeat(seats), FileTransferSeat(seats), FileTransferSeat(seats)]
        #expect(kept[0].keeps(one) && kept[1].keeps(one))
        #expect(kept[0].keeps(one), "it is asked again with each piece")
        #expect(!kept[2].keeps(one))
        #expect(kept[2].keeps(other))
        kept.removeFirst()
        #expect(kept[2].keeps(one))
    }
}

/// A seat that can stand in an array.
private final class FileTransferSeat {
    private var seat: FileSeat?

    init(_ seats: FileSeats) { seat = seats.take() }

    func keeps(_ client: LimitKey) -> Bool { seat?.keep(for: client) ?? false }
}
