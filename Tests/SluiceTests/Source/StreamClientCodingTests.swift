import Foundation
import SluiceIO
import Testing

@testable import Sluice

/// Compressed streams.
@Suite struct StreamClientCodingTests {
    /// `data: one\n\n` and `data: two\n\n`, each flushed, made with zlib (`compressobj(9, DEFLATED, 31)`, `Z_SYNC_FLUSH`).
    private static let one: [UInt8] = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4a, 0x49, 0x2c, 0x49, 0xb4, 0x52, 0xc8, 0xcf,
        0x4b, 0xe5, 0xe2, 0x02, 0x00, 0x00, 0x00, 0xff, 0xff,
    ]
    private static let two: [UInt8] = [
        0x4a, 0x01, 0x33, 0x4b, 0xca, 0xf3, 0xb9, 0xb8, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff,
    ]
    private static let end: [UInt8] = [
        0x03, 0x00, 0xa2, 0x0d, 0x4a, 0x3f, 0x16, 0x00, 0x00, 0x00,
    ]
    /// An event of 1000 bytes `x`, 300 times, whole.
    private static let bomb = Array(
        Data(
            base64Encoded:
                "H4sIAAAAAAACA+3TMQ0AMAgAsB8V0zE3JEjYMflo4CWth1a+vOcD60WU7+A74DvgO+A74DvgO+A74DvgO+A7+A74DvgO+A74DvgO"
                + "+A74DvgO+A74Dr4DvgO+A74DvgO+A74DvgO+A74DvoPvgO+A74DvgO+A74DvgO+A74Dv4Lvv4DvgO+A74DvgO+A74DvgO+A74Dv4"
                + "DvgO+A74DvgO+A74DvgO+A74DvgOvgO+A74DvgO+A74DvgO+A74DvgO+g++A74DvgO+A74DvgO+A74DvgO/gu+/gO+A74DvgO+A7"
                + "4DvgO+A74DvgO/gO+A74DvgO+A74DvgO+A74DvgO+A6+A74DvgO+A74DvgO+A74DvgO+A76D74DvgO+A74DvgO+A74DvgO+A7+C7"
                + "7+A74DvgO+A74DvgO+A74DvgO+A7+A74DvgO+A74DvgO+A74DvgO+A74Dr4DvgO+A74DvgO+A74DvgO+A74DvoPvgO+A74DvgO+A"
                + "74DvgO+A74Dv4Lvv4DvgO+A74DvgO+A74DvgO+A74Dv4DvgO+A74DvgO+A74DvgO+A74DvgOvgO+A74DvgO+A74DvgO+A74DvgO+"
                + "g++A74DvgO+A74DvgO+A74DvgO/gu+/gO+A74DvgO+A74DvgO+A74DvgO/gO+A74DvgO+A74DvgO+A74DvgO+A6+A74DvgO+A74D"
                + "vgO+A74DvgO+A76D74DvgO+A74DvgO+A74DvgO+A7+C77+A74DvgO+A74DvgO+A74DvgO+A7+A74DvgO+A74DvgO+A74DvgO+A74"
                + "Dr4DvgO+A74DvgO+A74DvgO+A74DvoPvgO+A74DvgO+A74DvgO/A8HsDBcJzwkCdBAA=") ?? Data())

    private func began(_ fixture: StreamClientFixture) throws -> LoopFixture.Exchange {
        fixture.client.start()
        let exchange = try fixture.accept()
        #expect(exchange.text.contains("\r\nAccept-Encoding: gzip\r\n"))
        exchange.stream(fields: "Content-Encoding: gzip\r\n")
        return exchange
    }

    @Test func `an event comes out when it was flushed`() throws {
        let fixture = try StreamClientFixture()
        let exchange = try began(fixture)
        exchange.send(Self.one)
        #expect(try fixture.reports(2) == ["opened", "event one"])
        for byte in Self.two { exchange.send([byte]) }
        #expect(try fixture.reports(3).last == "event two")
        exchange.send(Self.end)
        exchange.finish()
        #expect(try fixture.reports(4).last == "ended ended 1000")
    }

    @Test func `content that breaks off is an error`() throws {
        let fixture = try StreamClientFixture()
        let exchange = try began(fixture)
        exchange.send(Self.one)
        exchange.finish()
        #expect(try fixture.reports(3) == ["opened", "event one", "ended coding 1000"])
        #expect(fixture.context.counters.feeds[.coding] == 1)
    }

    @Test func `what is no gzip is an error`() throws {
        let fixture = try StreamClientFixture()
        try began(fixture).send("data: plain\n\n")
        #expect(try fixture.reports(2).last == "ended coding 1000")
    }

    @Test func `content that inflates a hundredfold is handed out in pieces, also with pauses between them`() throws {
        let fixture = try StreamClientFixture()
        var pieces: [Int] = []
        fixture.onReport = { report in
            guard case .received(let items) = report else { return }
            pieces.append(items.count)
            fixture.client.pause()
        }
        let exchange = try began(fixture)
        exchange.send(Self.bomb)
        exchange.finish()
        while fixture.client.state != .waiting {
            fixture.pass(milliseconds: 1)
            fixture.client.resume()
        }
        #expect(pieces.reduce(0, +) == 300)
        #expect(pieces.allSatisfy { $0 <= 100 })
        #expect(fixture.reports.last == "ended ended 1000")
    }

    @Test func `much out of little is read in turns`() throws {
        let fixture = try StreamClientFixture()
        let exchange = try began(fixture)
        exchange.send(Self.bomb)
        exchange.finish()
        _ = try fixture.reports(2)
        #expect(fixture.reports.count < 301)
        // What its owner pauses meanwhile stays paused.
        fixture.client.pause()
        let count = fixture.reports.count
        fixture.pass(milliseconds: 1)
        #expect(fixture.reports.count == count)
        fixture.client.resume()
        #expect(try fixture.reports(302).last == "ended ended 1000")
        #expect(fixture.reports.count == 302)
    }

    @Test func `much out of little is read in turns, also when it comes in many small chunks`() throws {
        let fixture = try StreamClientFixture()
        fixture.client.start()
        let exchange = try fixture.accept()
        var body: [UInt8] = []
        // Members of one stream (RFC 1952, 2.2): a chunk of each byte of ten of them.
        for _ in 0..<10 {
            for byte in Self.bomb { body += Array("1\r\n".utf8) + [byte] + Array("\r\n".utf8) }
        }
        exchange.stream(fields: "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n")
        _ = try fixture.reports(1)
        exchange.send(body)
        var most = 0
        while fixture.reports.count < 3001 {
            let before = fixture.reports.count
            fixture.clock.advance(milliseconds: 1)
            _ = fixture.loop.tick(fixture, maySleep: false)
            most = max(most, fixture.reports.count - before)
        }
        #expect(most * 1000 <= 2 * StreamClient.bytesInTurn)
    }
}
