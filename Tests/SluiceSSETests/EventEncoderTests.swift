import SluiceSSE
import SluiceTestSupport
import Testing

/// Data, and the lines that it must become.
struct DataCase: Sendable {
    let data: String
    let lines: String
}

private let dataCases: [DataCase] = [
    DataCase(data: "", lines: "data: \n"),
    DataCase(data: "hello", lines: "data: hello\n"),
    DataCase(data: " hello", lines: "data:  hello\n"),
    DataCase(data: "a\nb", lines: "data: a\ndata: b\n"),
    DataCase(data: "a\rb", lines: "data: a\ndata: b\n"),
    DataCase(data: "a\r\nb", lines: "data: a\ndata: b\n"),
    DataCase(data: "a\n\rb", lines: "data: a\ndata: \ndata: b\n"),
    DataCase(data: "a\n", lines: "data: a\ndata: \n"),
    DataCase(data: "a\r", lines: "data: a\ndata: \n"),
    DataCase(data: "\r\n", lines: "data: \ndata: \n"),
    DataCase(data: "\n\n", lines: "data: \ndata: \ndata: \n"),
    DataCase(data: "x\rid: 666\r\revent: evil", lines: "data: x\ndata: id: 666\ndata: \ndata: event: evil\n"),
    DataCase(
        data: "12345678\n1234567\r1234\u{2028}🦥\0", lines: "data: 12345678\ndata: 1234567\ndata: 1234\u{2028}🦥\0\n"),
]

@Suite struct `Event encoder` {
    @Test(arguments: dataCases)
    func `each line end in data begins a new data line`(_ data: DataCase) throws {
        #expect(try encoded(ServerSentEvent(data.data)) == data.lines + "\n")
        var output: [UInt8] = []
        unsafe Array(data.data.utf8).withUnsafeBytes {
            unsafe EventEncoder.appendFields(data: $0, event: nil, to: &output)
        }
        #expect(String(decoding: output, as: UTF8.self) == data.lines)
    }

    @Test func `fields come in one order`() throws {
        let event = ServerSentEvent("hello", event: "message", id: "1", retry: .milliseconds(2500))
        #expect(try encoded(event) == "event: message\ndata: hello\nid: 1\nretry: 2500\n\n")
    }

    @Test func `an empty type is left out, an empty id is not`() throws {
        #expect(try encoded(ServerSentEvent("x", event: "", id: "")) == "data: x\nid: \n\n")
    }

    @Test func `bytes and values are encoded alike`() throws {
        let raw = encodedBytes(data: "a\nb", event: "t", id: " 1")
        #expect(try raw == encoded(ServerSentEvent("a\nb", event: "t", id: " 1")))
        #expect(try encodedBytes(data: "a", event: "", id: nil) == encoded(ServerSentEvent("a")))
        #expect(try encodedBytes(data: "", event: nil, id: "") == encoded(ServerSentEvent("", id: "")))
    }

    @Test(arguments: ["\r", "\n", "\0", "a\r\nb", "abc\u{0}", "12345678\n"])
    func `an id or type that would break its line is refused, and nothing is written`(_ text: String) {
        var output: [UInt8] = [1]
        #expect(throws: EventError.invalidID) {
            try EventEncoder.append(ServerSentEvent("x", id: text), to: &output)
        }
        #expect(throws: EventError.invalidEvent) {
            try EventEncoder.append(ServerSentEvent("x", event: text, id: "1"), to: &output)
        }
        #expect(output == [1])
        #expect(!EventEncoder.isValidField(text))
        #expect(unsafe Array(text.utf8).withUnsafeBytes { unsafe !EventEncoder.isValidField($0) })
    }

    @Test func `an id or type of anything else is fine`() {
        for text in ["", "1", "a b", "…", "\t", "\u{7F}", "0-0000000000000001"] {
            #expect(EventEncoder.isValidField(text))
            #expect(unsafe Array(text.utf8).withUnsafeBytes { unsafe EventEncoder.isValidField($0) })
        }
    }

    @Test func `retry is whole milliseconds`() throws {
        #expect(try encoded(ServerSentEvent("", retry: .zero)) == "data: \nretry: 0\n\n")
        #expect(try encoded(ServerSentEvent("", retry: .microseconds(1999))) == "data: \nretry: 1\n\n")
        let longest = Duration.seconds(18_446_744_073_709_551) + .milliseconds(615)
        #expect(try encoded(ServerSentEvent("", retry: longest)) == "data: \nretry: 18446744073709551615\n\n")
        for wrong in [longest + .milliseconds(1), .seconds(Int64.max), .nanoseconds(-1), .seconds(Int64.min)] {
            #expect(throws: EventError.invalidRetry) { try encoded(ServerSentEvent("", retry: wrong)) }
        }
    }

    @Test func `retry and comments are single lines`() {
        var output: [UInt8] = []
        EventEncoder.appendRetry(milliseconds: .max, to: &output)
        EventEncoder.appendComment("", to: &output)
        EventEncoder.appendComment("hello", to: &output)
        EventEncoder.appendComment("a\rdata: b\r\n", to: &output)
        let text = "retry: 18446744073709551615\n:\n: hello\n: a\n: data: b\n: \n"
        #expect(String(decoding: output, as: UTF8.self) == text)
    }

    @Test func `what is encoded is parsed again, at every length`() throws {
        for length in 0...40 {
            for breakAt in 0...length {
                var data = Array(repeating: UInt8(ascii: "x"), count: length)
                if breakAt < length { data[breakAt] = UInt8(ascii: "\n") }
                let text = String(decoding: data, as: UTF8.self)
                let event = ServerSentEvent(text, event: " t", id: " \(length)")
                let bytes = try Array(encoded(event).utf8)
                #expect(events(items(of: [bytes[...]])) == [Got(text, type: " t", id: " \(length)")])
            }
        }
    }

    @Test func `UTF-8 is told from what is not`() {
        let ascii = Array("123456789".utf8)
        for good in ["", "é", "…", "🦥", "\u{FFFF}", "\u{10FFFF}", "\u{D7FF}\u{E000}", "\u{800}", "\u{10000}"] {
            #expect(isUTF8(ascii + Array(good.utf8) + ascii))
            #expect(isUTF8(Array(good.utf8)))
            let cut = Array(good.utf8.dropLast())
            #expect(isUTF8(ascii + cut) == cut.isEmpty || String(validating: cut, as: UTF8.self) != nil)
        }
        for first in UInt8(0x80)...0xFF {
            for second in UInt8.min...0xFF {
                let bytes = [first, second, 0x80, 0x80]
                #expect(isUTF8(bytes) == (String(validating: bytes, as: UTF8.self) != nil))
                let three = [first, second, 0xBF]
                #expect(isUTF8(three) == (String(validating: three, as: UTF8.self) != nil))
                #expect(isUTF8([first, second]) == (String(validating: [first, second], as: UTF8.self) != nil))
            }
        }
    }
}

private func encoded(_ event: ServerSentEvent) throws -> String {
    var output: [UInt8] = []
    try EventEncoder.append(event, to: &output)
    return String(decoding: output, as: UTF8.self)
}

private func encodedBytes(data: String, event: String?, id: String?) -> String {
    var output: [UInt8] = []
    func withOptionalBytes(_ text: String?, _ body: (UnsafeRawBufferPointer?) -> Void) {
        guard let text else { return body(nil) }
        unsafe Array(text.utf8).withUnsafeBytes { unsafe body($0) }
    }
    unsafe Array(data.utf8).withUnsafeBytes { data in
        unsafe withOptionalBytes(event) { event in
            unsafe withOptionalBytes(id) { id in
                unsafe EventEncoder.append(data: data, event: event, id: id, to: &output)
            }
        }
    }
    return String(decoding: output, as: UTF8.self)
}

private func isUTF8(_ bytes: [UInt8]) -> Bool { unsafe bytes.withUnsafeBytes { unsafe EventEncoder.isUTF8($0) } }
