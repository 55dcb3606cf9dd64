import Sluice
import SluiceHTTP
import Testing

@Suite struct `CORS fields` {
    private let policy = CORSPolicy(origins: ["https://app.example.com", "http://localhost:3000"], credentials: true)

    @Test func `an allowed origin is named, and the answer varies with it`() {
        #expect(
            lines(policy.fields(forOrigin: bytes("http://localhost:3000"))) == [
                "Vary: Origin", "Access-Control-Allow-Origin: http://localhost:3000",
                "Access-Control-Allow-Credentials: true", "Access-Control-Expose-Headers: Last-Event-ID",
            ])
        let plain = CORSPolicy(origins: ["https://App.Example.com"])
        #expect(
            lines(plain.fields(forOrigin: bytes("https://app.example.com"))) == [
                "Vary: Origin", "Access-Control-Allow-Origin: https://app.example.com",
                "Access-Control-Expose-Headers: Last-Event-ID",
            ])
    }

    @Test(arguments: [
        "https://evil.example.com", "https://app.example.com.evil.org", "https://app.example.co",
        "http://app.example.com",
        "https://app.example.com:8443", "https://app.example.com/", "null", "", "*",
    ])
    func `another origin is granted nothing`(_ origin: String) {
        #expect(lines(policy.fields(forOrigin: bytes(origin))) == ["Vary: Origin"])
        #expect(
            lines(
                policy.preflight(
                    origin: bytes(origin), requestedMethod: bytes("GET"), requestedHeaders: nil, routeMethods: ["GET"]))
                == ["Vary: Origin"])
    }

    @Test func `a request without an origin varies too`() {
        #expect(lines(policy.fields(forOrigin: nil)) == ["Vary: Origin"])
    }

    @Test func `every origin is a star, without credentials whatever the policy says`() {
        let open = CORSPolicy(origins: ["*"], credentials: true)
        let expected = ["Access-Control-Allow-Origin: *", "Access-Control-Expose-Headers: Last-Event-ID"]
        #expect(lines(open.fields(forOrigin: bytes("https://a.b"))) == expected)
        #expect(lines(open.fields(forOrigin: nil)) == expected)
    }

    @Test func `null is allowed only by name`() {
        let policy = CORSPolicy(origins: ["null"])
        #expect(lines(policy.fields(forOrigin: bytes("null"))).contains("Access-Control-Allow-Origin: null"))
    }

    @Test func `a preflight is told methods, headers and how long`() {
        var policy = policy
        policy.headers = ["X-Request-ID", "content-type"]
        policy.maxAge = .seconds(60)
        let fields = policy.preflight(
            origin: bytes("https://app.example.com"), requestedMethod: bytes("POST"),
            requestedHeaders: bytes("last-event-id, x-evil"), routeMethods: ["GET", "POST"])
        #expect(
            lines(fields) == [
                "Vary: Origin", "Access-Control-Allow-Origin: https://app.example.com",
                "Access-Control-Allow-Credentials: true", "Access-Control-Allow-Methods: GET, POST",
                "Access-Control-Allow-Headers: Last-Event-ID, Authorization, Cache-Control, Content-Type, X-Request-ID",
                "Access-Control-Max-Age: 60",
            ])
    }

    @Test func `a route for every method allows the one that is asked for, if it is one`() {
        func methods(_ requested: String?) -> [String] {
            lines(
                CORSPolicy(origins: ["*"], maxAge: .seconds(-1)).preflight(
                    origin: nil, requestedMethod: requested.map { bytes($0) }, requestedHeaders: nil, routeMethods: [])
            ).filter { $0.hasPrefix("Access-Control-Allow-M") || $0.hasPrefix("Access-Control-Max") }
        }
        #expect(methods("PURGE") == ["Access-Control-Allow-Methods: PURGE", "Access-Control-Max-Age: 0"])
        #expect(methods("A\r\nB") == ["Access-Control-Max-Age: 0"])
        #expect(methods(nil) == ["Access-Control-Max-Age: 0"])
    }

    @Test func `a star among the headers repeats what is asked for, word by word`() {
        let policy = CORSPolicy(origins: ["*"], headers: ["*", "X-A"])
        let fields = policy.preflight(
            origin: nil, requestedMethod: nil, requestedHeaders: bytes("x-b , x-a,,bad name\u{1},x-c\r\n"),
            routeMethods: ["GET"])
        #expect(
            lines(fields).contains(
                "Access-Control-Allow-Headers: Last-Event-ID, Authorization, Cache-Control, Content-Type, X-A, x-b"))
    }
}

private func lines(_ fields: FieldBlock) -> [String] {
    var lines: [String] = []
    fields.forEach { _, name, value in
        lines.append("\(String(decoding: name, as: UTF8.self)): \(String(decoding: value, as: UTF8.self))")
    }
    return lines
}
