import SluiceHTTP
import Testing

@Suite struct `Response parser` {
    @Test(arguments: acceptedResponses)
    func `takes what is right, whole and in pieces`(_ response: ResponseCase) {
        let whole = run(response)
        #expect(whole.lines == response.expected)
        expectSame(response, whole)
    }

    @Test(arguments: refusedResponses)
    func `refuses what is wrong, whole and in pieces`(_ response: ResponseCase) {
        let whole = run(response)
        #expect(whole.lines.last == response.expected.first)
        expectSame(response, whole)
    }

    private func run(_ response: ResponseCase, cutAt cuts: [Int] = []) -> Transcript {
        runResponses(response.input, to: response.methods, cutAt: cuts, closes: response.closes)
    }

    private func expectSame(_ response: ResponseCase, _ whole: Transcript) {
        let count = max(2, response.input.count)
        #expect(run(response, cutAt: Array(1..<count)) == whole)
        guard count < 1000 else { return }
        for cut in 1..<count { #expect(run(response, cutAt: [cut]) == whole, "cut at \(cut)") }
    }

    @Test(arguments: acceptedResponses)
    func `waits silently on every unfinished prefix`(_ response: ResponseCase) {
        for end in response.input.indices {
            #expect(!runResponses(Array(response.input[..<end]), to: response.methods).hasFailed)
        }
    }

    @Test func `idle until the first byte of an answer`() {
        var parser = ResponseParser()
        #expect(parser.isIdle)
        parser.expect(method: .get)
        #expect(parser.isIdle)
        _ = unsafe bytes("H").withUnsafeBytes { unsafe parser.parse($0) }
        #expect(!parser.isIdle)
    }

    @Test func `closing between answers is no failure`() {
        var parser = ResponseParser()
        guard case .needMore = parser.endOfInput() else {
            Issue.record("said something")
            return
        }
    }
}
