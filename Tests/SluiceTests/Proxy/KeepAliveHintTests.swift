import SluiceHTTP
import Testing

@testable import Sluice

struct KeepAliveHintTests {
    private func hint(_ values: String...) -> UInt64? {
        var fields = FieldBlock()
        for value in values { fields.append(.keepAlive, Array(value.utf8)) }
        return KeepAliveHint.milliseconds(fields)
    }

    @Test(arguments: [
        "timeout=5", "timeout=5, max=100", "max=100, timeout=5", "max=100,timeout=5 ", "Timeout=5", "timeout=\"5\"",
        "timeout=\"5\", max=\"100\"", " timeout=05", "timeout=5,timeout=9",
    ])
    func `a second less than the server says`(value: String) { #expect(hint(value) == 4000) }

    @Test func `of a second half is left, and of none none`() {
        #expect(hint("timeout=1") == 500)
        #expect(hint("timeout=0") == 0)
        #expect(hint("timeout=999999") == 999_998_000)
    }

    @Test(arguments: [
        "", ",", "max=100", "timeout", "timeout=", "timeout=,", "timeout=-5", "timeout=+5", "timeout=5s", "timeout=5.5",
        "timeout=0x5", "timeout=five", "timeout=\"5", "timeout=5\"", "timeout=\"", "timeout=\"\"", "timeout= 5",
        "timeout =5", "mytimeout=5", "timeouts=5", "timeout=1000000", "timeout=18446744073709551616",
        "timeout=99999999999999999999999999", "timeout=5 5", "timeout=\u{0665}",
    ])
    func `what is no number of seconds says nothing`(value: String) { #expect(hint(value) == nil) }

    @Test func `the first that says something counts, of several fields too`() {
        #expect(hint("timeout=x, timeout=3") == 2000)
        #expect(hint("max=4", "timeout=3") == 2000)
        #expect(hint() == nil)
    }
}
