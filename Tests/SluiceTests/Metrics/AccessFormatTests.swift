import SluiceHTTP
import SluiceIO
import Testing

@testable import Sluice

@Suite struct AccessFormatTests {
    private static func line(_ change: (inout AccessLine) -> Void = { _ in }) -> AccessLine {
        var fields = FieldBlock()
        fields.append(.userAgent, "curl/8")
        fields.append(.referer, "https://a.example/?code=x")
        fields.append(.authorization, "Bearer hidden")
        fields.append(.cookie, "hidden=1")
        let head = RequestHead.make(target: "/a%0ab?token=hidden&q=1", host: "b.example", fields: fields)
        var line = AccessLine(event: .request)
        line.client = "192.0.2.1"
        line.request = LoggedRequest(head, TokenMask())
        line.status = 200
        line.bytes = 12
        line.duration = 1003
        line.requestID = Array("id-1".utf8)
        line.time = 1_769_860_800_123
        change(&line)
        return line
    }

    private func combined(_ line: AccessLine) -> String {
        var output: [UInt8] = []
        var format = CombinedFormat()
        format.append(line, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    private func json(_ line: AccessLine) -> String {
        var output: [UInt8] = []
        var format = AccessJSON()
        format.append(line, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    @Test func `a combined line is that of nginx, with pairs behind the user agent`() {
        #expect(
            combined(Self.line())
                == "192.0.2.1 - - [31/Jan/2026:12:00:00 +0000] \"GET /a%0ab?token=***&q=1 HTTP/1.1\" 200 12 "
                + "\"https://a.example/?code=***\" \"curl/8\" event=request duration=1.003 request_id=id-1\n")
    }

    @Test func `a line without a request has a dash for what is not known`() {
        let line = Self.line {
            $0.request = nil
            $0.client = nil
            $0.requestID = []
            $0.status = 400
        }
        #expect(
            combined(line)
                == "- - - [31/Jan/2026:12:00:00 +0000] \"-\" 400 12 \"-\" \"-\" event=request duration=1.003\n")
        #expect(
            json(line)
                == "{\"time\":\"2026-01-31T12:00:00.123Z\",\"event\":\"request\",\"status\":400,\"bytes\":12,\"duration\":1.003}\n"
        )
    }

    @Test func `a JSON line tells all that is known`() {
        let line = Self.line {
            $0.route = 2
            $0.topics = ["a", "b\""]
            $0.upstream = "app"
            $0.server = "127.0.0.1:3000"
            $0.events = 7
            $0.reason = .clientLeft
            $0.lost = 3
            $0.cursor = Array("e-1".utf8)
        }
        #expect(
            json(line)
                == "{\"time\":\"2026-01-31T12:00:00.123Z\",\"event\":\"request\",\"client\":\"192.0.2.1\",\"method\":\"GET\","
                + "\"host\":\"b.example\",\"path\":\"/a%0ab\",\"query\":\"token=***&q=1\",\"protocol\":\"HTTP/1.1\","
                + "\"referer\":\"https://a.example/?code=***\",\"user_agent\":\"curl/8\",\"status\":200,\"bytes\":12,"
                + "\"duration\":1.003,\"request_id\":\"id-1\",\"route\":2,\"topics\":[\"a\",\"b\\\"\"],\"upstream\":\"app\","
                + "\"server\":\"127.0.0.1:3000\",\"cursor\":\"e-1\",\"events\":7,\"reason\":\"client_left\",\"lost\":3}\n"
        )
    }

    @Test func `a format that goes on tells the time of each line`() {
        var output: [UInt8] = []
        var format = AccessJSON()
        for time in [1_769_860_800_000, 1_769_860_800_007, 1_769_860_865_120] as [Int64] {
            format.append(Self.line { $0.time = time }, to: &output)
        }
        let times = String(decoding: output, as: UTF8.self).split(separator: "\n").map { $0.prefix(33).suffix(24) }
        #expect(times == ["2026-01-31T12:00:00.000Z", "2026-01-31T12:00:00.007Z", "2026-01-31T12:01:05.120Z"])
    }

    @Test func `nobody ends a line or a quotation`() throws {
        for byte in UInt8.min...UInt8.max {
            let head = RequestHead.make(
                fields: {
                    var fields = FieldBlock()
                    fields.append(.userAgent, [0x61, byte, 0x62])
                    fields.append(.referer, [0x61, byte, 0x62])
                    return fields
                }())
            let line = Self.line {
                $0.request = LoggedRequest(head, TokenMask())
                $0.requestID = [0x61, byte, 0x62]
                $0.cursor = [byte, byte]
            }
            let text = combined(line)
            #expect(text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F || $0 == 0x0A })
            #expect(text.utf8.count { $0 == 0x0A } == 1)
            #expect(text.utf8.count { $0 == 0x22 } == 6)
            let object = json(line)
            #expect(object.utf8.count { $0 == 0x0A } == 1)
            #expect(object.unicodeScalars.dropLast().allSatisfy { !JSONText.isUnseen($0) })
        }
        #expect(
            combined(Self.line { $0.cursor = Array("a b\"\\\u{e9}".utf8) }).contains(
                " cursor=a\\x20b\\x22\\x5C\\xC3\\xA9\n"))
    }

    @Test func `what was said first of an end stands, and an answer that nobody waited for is 499`() {
        let record = AccessRecord(began: 1000)
        record.endsIfOpen(.drained)
        #expect(record.reason == nil)
        record.ends(.slow)
        record.ends(.writeTimeout)
        let line = record.closes(TokenMask(), isWhole: false, now: 3500)
        #expect(line.event == .request && line.reason == .slow && line.status == 499 && line.duration == 2500)

        let stream = AccessRecord(began: 0)
        stream.status = 200
        #expect(stream.opens(TokenMask()).event == .open)
        let end = stream.closes(TokenMask(), isWhole: true, now: 1)
        #expect(end.event == .close && end.reason == .ended && end.status == 200)
        let whole = AccessRecord(began: 0)
        whole.status = 204
        #expect(whole.closes(TokenMask(), isWhole: true, now: 1).reason == nil)
        #expect(AccessRecord(began: 0).closes(TokenMask(), isWhole: false, now: 1).reason == .clientLeft)
    }

    @Test func `a stream's record keeps nothing of the head`() {
        var fields = FieldBlock()
        fields.append(.userAgent, String(repeating: "u", count: 50_000))
        let record = AccessRecord(began: 0)
        record.asked(RequestHead.make(fields: fields))
        #expect(record.opens(TokenMask()).request?.userAgent.count == 4096)
    }
}
