import SluiceHTTP
import Testing

@Suite struct `Parsers on random input` {
    private let requests = acceptedRequests + refusedRequests + refusedBodies

    /// A few cases, one behind the other.
    private func someRequests(_ random: inout SeededGenerator) -> [UInt8] {
        (0..<Int.random(in: 1...4, using: &random)).flatMap { _ in
            (random.next() % 4 == 0 ? requests : acceptedRequests).randomElement(using: &random)?.input ?? []
        }
    }

    private func cuts(_ count: Int, _ random: inout SeededGenerator) -> [Int] {
        (0..<Int.random(in: 1...8, using: &random)).map { _ in Int.random(in: 0...count, using: &random) }
    }

    @Test func `requests say the same however they are cut`() {
        var random = SeededGenerator(state: 1)
        for _ in 0..<3000 {
            let input = someRequests(&random)
            let cuts = cuts(input.count, &random)
            #expect(runRequests(input, cutAt: cuts) == runRequests(input), "\(text(input)) cut at \(cuts)")
        }
    }

    @Test func `spoilt requests never crash, and say the same however they are cut`() {
        var random = SeededGenerator(state: 2)
        let limits = HTTP1Limits(requestLine: 40, head: 120, fields: 5, chunkLine: 12, chunkOverhead: 20)
        for round in 0..<6000 {
            let input = spoilt(someRequests(&random), &random)
            let limits = round % 2 == 0 ? limits : HTTP1Limits()
            let whole = runRequests(input, limits: limits)
            let cuts = cuts(input.count, &random)
            #expect(runRequests(input, cutAt: cuts, limits: limits) == whole, "\(text(input)) cut at \(cuts)")
        }
    }

    @Test func `spoilt responses never crash, and say the same however they are cut`() {
        var random = SeededGenerator(state: 3)
        for _ in 0..<6000 {
            guard let response = (acceptedResponses + refusedResponses).randomElement(using: &random) else { return }
            let input = spoilt(response.input, &random)
            let whole = runResponses(input, to: response.methods, closes: true)
            let cuts = cuts(input.count, &random)
            let again = runResponses(input, to: response.methods, cutAt: cuts, closes: true)
            #expect(again == whole, "\(text(input)) cut at \(cuts)")
        }
    }

    @Test func `random bytes never crash`() {
        var random = SeededGenerator(state: 4)
        for _ in 0..<3000 {
            let input = (0..<Int.random(in: 0...200, using: &random)).map { _ in
                UInt8.random(in: .min ... .max, using: &random)
            }
            let valueful = bytes("GET / HTTP/1.1\r\nHost: a\r\nX: ") + input
            #expect(runRequests(input, cutAt: Array(0..<input.count)) == runRequests(input))
            #expect(runRequests(valueful, cutAt: Array(0..<valueful.count)) == runRequests(valueful))
            _ = AcceptHeader.allows([input[...]], "text/event-stream")
            _ = MediaType(input[...])
        }
    }
}
