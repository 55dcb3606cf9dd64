import SluiceHTTP
import Testing

@testable import Sluice

struct RetryRuleTests {
    private static let repeatable: [HTTPMethod] = [.get, .head, .options, .trace, .put, .delete]
    private static let others: [HTTPMethod] = [.post, .patch, .connect, .other("PURGE")]

    private func mayRetry(_ method: HTTPMethod, _ progress: RetryRule.Progress, isFree: Bool = false) -> Bool {
        var rule = RetryRule(method: method, retries: 9)
        return rule.mayRetry(after: progress, isFree: isFree)
    }

    @Test(arguments: repeatable + others)
    func `of what was not sent another attempt may be made`(method: HTTPMethod) {
        #expect(mayRetry(method, RetryRule.Progress()))
    }

    @Test func `what was sent is sent again when that changes nothing`() {
        let sent = RetryRule.Progress(wasSent: true)
        for method in Self.repeatable { #expect(mayRetry(method, sent), "\(method)") }
        for method in Self.others {
            #expect(!mayRetry(method, sent) && !mayRetry(method, sent, isFree: true), "\(method)")
        }
    }

    @Test(arguments: repeatable + others)
    func `never when the client was told something, or its body is gone`(method: HTTPMethod) {
        for wasSent in [false, true] {
            for isFree in [false, true] {
                #expect(!mayRetry(method, RetryRule.Progress(wasSent: wasSent, wasAnswered: true), isFree: isFree))
                #expect(!mayRetry(method, RetryRule.Progress(wasSent: wasSent, bodyWasTaken: true), isFree: isFree))
            }
        }
    }

    @Test(arguments: [-1, 0, 1, 2, 7])
    func `there are so many attempts`(retries: Int) {
        var rule = RetryRule(method: .get, retries: retries)
        var made = 0
        while made < 100, rule.mayRetry(after: RetryRule.Progress(wasSent: true)) { made += 1 }
        #expect(made == max(0, retries) && rule.left == 0)
    }

    @Test func `an attempt that is refused is not taken`() {
        var rule = RetryRule(method: .post, retries: 1)
        let outcomes = [true, false, false].map { rule.mayRetry(after: RetryRule.Progress(wasSent: $0)) }
        #expect(outcomes == [false, true, false])
    }

    @Test func `a kept connection that was stale costs none of them`() {
        var rule = RetryRule(method: .get, retries: 0)
        let outcomes = [true, false].map { rule.mayRetry(after: RetryRule.Progress(wasSent: true), isFree: $0) }
        #expect(outcomes == [true, false] && rule.left == 0)
    }
}
