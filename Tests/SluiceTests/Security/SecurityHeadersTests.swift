import Sluice
import SluiceHTTP
import Testing

@Suite struct `Security headers` {
    private func lines(_ headers: SecurityHeaders, overTLS: Bool = true) -> [String] {
        var lines: [String] = []
        headers.fields(overTLS: overTLS).forEach { _, name, value in
            lines.append("\(String(decoding: name, as: UTF8.self)): \(String(decoding: value, as: UTF8.self))")
        }
        return lines
    }

    private let plain = [
        "X-Content-Type-Options: nosniff", "X-Frame-Options: SAMEORIGIN",
        "Referrer-Policy: strict-origin-when-cross-origin",
    ]

    @Test func `over TLS they ask for TLS`() {
        #expect(lines(SecurityHeaders()) == plain + ["Strict-Transport-Security: max-age=31536000"])
        #expect(lines(SecurityHeaders(), overTLS: false) == plain)
    }

    @Test func `each can be set or left out`() {
        var headers = SecurityHeaders()
        headers.frames = .deny
        headers.referrer = "no-referrer"
        headers.strictTransport = .seconds(60)
        headers.includesSubdomains = true
        #expect(
            lines(headers) == [
                "X-Content-Type-Options: nosniff", "X-Frame-Options: DENY", "Referrer-Policy: no-referrer",
                "Strict-Transport-Security: max-age=60; includeSubDomains",
            ])
        headers.noSniff = false
        headers.frames = nil
        headers.referrer = nil
        headers.strictTransport = nil
        #expect(lines(headers).isEmpty)
    }
}
