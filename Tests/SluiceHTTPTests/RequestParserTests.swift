import SluiceHTTP
import Testing

@Suite struct `Request parser` {
    @Test(arguments: acceptedRequests)
    func `takes what is right, whole and in pieces`(_ request: Case) {
        let whole = runRequests(request.input)
        #expect(whole.lines == request.expected)
        expectSame(request.input, whole)
    }

    @Test(arguments: refusedRequests + refusedBodies)
    func `refuses what is wrong, whole and in pieces`(_ request: Case) {
        let whole = runRequests(request.input)
        #expect(whole.lines.last == request.expected.first)
        #expect(whole.lines.filter { $0.hasPrefix("failed") }.count == 1)
        expectSame(request.input, whole)
    }

    private func expectSame(_ input: [UInt8], _ whole: Transcript) {
        #expect(runRequests(input, cutAt: Array(1..<max(2, input.count))) == whole)
        guard input.count < 1000 else { return }
        for cut in 1..<max(2, input.count) { #expect(runRequests(input, cutAt: [cut]) == whole, "cut at \(cut)") }
    }

    @Test(arguments: acceptedRequests)
    func `waits silently on every unfinished prefix`(_ request: Case) {
        let step = request.input.count < 1000 ? 1 : 997
        for end in stride(from: 0, to: request.input.count, by: step) {
            #expect(!runRequests(Array(request.input[..<end])).hasFailed, "prefix of \(end) bytes")
        }
    }

    @Test(arguments: [
        "\u{16}", "\n", " ", "\u{80}", "\r\r", "\r\n\r", "GET\t", "GET  ", "GET /\u{0}", "GET /#", "GET /\r", "GET / h",
        "GET / HTTP/1.1 ", "GET / HTTP/1.1\n", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\n ", "GET / HTTP/1.1\r\n:",
        "GET / HTTP/1.1\r\nA ", "GET / HTTP/1.1\r\nA\r", "GET / HTTP/1.1\r\nA: \u{1}",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\n", "GET / HTTP/1.1\r\nContent-Length: x\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n",
    ])
    func `refuses with the first byte that cannot be right`(_ input: String) {
        let input = bytes(input)
        #expect(runRequests(input).hasFailed)
        #expect(!runRequests(Array(input.dropLast())).hasFailed)
    }

    @Test func `every byte that is no token is refused as the first one`() {
        let tokens = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        for byte in UInt8.min...UInt8.max where byte != 0x0D {
            #expect(runRequests([byte]).hasFailed != tokens.contains(byte), "\(byte)")
        }
    }

    @Test func `every byte of a value is taken or refused as RFC 9110 says`() {
        for byte in UInt8.min...UInt8.max {
            // At each place of a word of eight, because values are looked at by words.
            for place in 0..<9 {
                var value = Array(repeating: UInt8(ascii: "v"), count: 9)
                value[place] = byte
                let input = bytes("GET / HTTP/1.1\r\nHost: a\r\nX: ") + value + bytes("\r\n\r\n")
                let isRight = byte == 9 || (byte >= 0x20 && byte != 0x7F)
                #expect(runRequests(input).hasFailed != isRight, "\(byte) at \(place)")
            }
        }
    }

    @Test func `fields keep order, spelling and values`() {
        let input = head(
            "GET / HTTP/1.1", "hOST: a", "X-One:  1\t2 ", "accept: text/event-stream", "X-One: 3", "Empty:")
        let lines = runRequests(bytes(input)) { list($0.fields) }.lines
        #expect(lines.first == " [hOST: a; X-One: 1\\x92; accept: text/event-stream; X-One: 3; Empty: ]")
        _ = runRequests(bytes(input)) { head in
            #expect(head.fields.first(.accept).map(text) == "text/event-stream")
            #expect(head.fields.first(named: "x-one").map(text) == "1\\x92")
            return ""
        }
    }

    @Test func `target, path and query are what came in`() {
        func parts(_ line: String) -> [String?] {
            var parts: [String?] = []
            _ = runRequests(bytes(head(line, "Host: a"))) { head in
                parts = [text(head.target), text(head.path), head.query.map(text)]
                return ""
            }
            return parts
        }
        #expect(parts("GET /a/%2e/b HTTP/1.1") == ["/a/%2e/b", "/a/%2e/b", nil])
        #expect(parts("GET /a?b?c HTTP/1.1") == ["/a?b?c", "/a", "b?c"])
        #expect(parts("GET /? HTTP/1.1") == ["/?", "/", ""])
        #expect(parts("GET http://a/x?y HTTP/1.1") == ["/x?y", "/x", "y"])
        #expect(parts("GET http://a?y HTTP/1.1") == ["/?y", "/", "y"])
        #expect(parts("OPTIONS * HTTP/1.1") == ["*", "*", nil])
    }

    @Test func `a body that lies in the input is pointed at, not copied`() {
        var parser = RequestParser()
        let input = bytes(chunkedPost + "5\r\nhello\r\n")
        unsafe input.withUnsafeBytes { input in
            let (_, taken) = unsafe parser.parse(input)
            let rest = unsafe UnsafeRawBufferPointer(rebasing: input[taken...])
            guard case (.body(let range), let consumed) = unsafe parser.parse(rest) else {
                Issue.record("no body")
                return
            }
            #expect(range == 3..<8)
            #expect(consumed == 8)
        }
    }

    @Test func `idle is between requests only`() {
        var parser = RequestParser()
        func feed(_ input: String) {
            var rest = bytes(input)
            while true {
                let (event, consumed) = unsafe rest.withUnsafeBytes { unsafe parser.parse($0) }
                rest.removeFirst(consumed)
                if case .needMore = event { return }
            }
        }
        #expect(parser.isIdle)
        feed("G")
        #expect(!parser.isIdle)
        feed("ET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(parser.isIdle)
        feed("\r\n")
        #expect(parser.isIdle)
        feed(head("POST / HTTP/1.1", "Host: a", "Content-Length: 2") + "x")
        #expect(!parser.isIdle)
        feed("y")
        #expect(parser.isIdle)
    }

    @Test func `a failure stays`() {
        var parser = RequestParser()
        for input in ["\u{0}", head("GET / HTTP/1.1", "Host: a"), ""] {
            let event = unsafe bytes(input).withUnsafeBytes { unsafe parser.parse($0) }.event
            guard case .failed(let error) = event else {
                Issue.record("not failed")
                return
            }
            #expect(error.status == 400)
        }
    }

    @Test func `limits are those that were set`() {
        let limits = HTTP1Limits(requestLine: 20, head: 30, fields: 2, chunkLine: 8)
        func last(_ input: String) -> String? { runRequests(bytes(input), limits: limits).lines.last }
        #expect(last(head("GET /123456 HTTP/1.1", "Host: a")) == "end")
        #expect(last(head("GET /1234567 HTTP/1.1", "Host: a")) == "failed 414: request line too long")
        #expect(last(head("GET / HTTP/1.1", "Host: a", "X: 12345678901234")) == "end")
        #expect(last(head("GET / HTTP/1.1", "Host: a", "X: 123456789012345")) == "failed 431: header too large")
        #expect(last(head("GET / HTTP/1.1", "Host: a", "a:", "b:")) == "failed 431: too many header fields")
    }
}
