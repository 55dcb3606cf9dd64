import Testing

@testable import Sluice

struct HTTPDateTests {
    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    ])
    func `a date is read in each of its three forms`(_ text: String) {
        #expect(HTTPDate.unixSeconds(text) == 784_111_777)
    }

    @Test func `days of two digits and years of two digits`() {
        #expect(HTTPDate.unixSeconds("Wed Nov 16 08:49:37 1994") == 784_975_777)
        #expect(HTTPDate.unixSeconds("Thursday, 29-Feb-24 00:00:00 GMT") == 1_709_164_800)
    }

    @Test(arguments: [
        "", "now", "0", "Sun, 06 Nov 1994 08:49:37", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1969 08:49:37 GMT", "Sun, 06-Nov-94 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994", "Sunday, 06-Nov-1994 08:49:37 GMT", "Sun, 06 Nov 99999 08:49:37 GMT", "     ", "   ",
    ])
    func `anything else is none`(_ text: String) { #expect(HTTPDate.unixSeconds(text) == nil) }
}
