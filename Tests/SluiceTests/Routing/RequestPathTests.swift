import Sluice
import Testing

@Suite struct `Request path` {
    @Test(arguments: [
        ("/", "/"), ("/a/b", "/a/b"), ("/a/", "/a/"),
        // Dot-segments.
        ("/a/./b", "/a/b"), ("/a/.", "/a/"), ("/.", "/"), ("/./", "/"), ("/a/../b", "/b"), ("/a/..", "/"),
        ("/a/b/..", "/a/"), ("/a/b/../", "/a/"), ("/a/b/../../c", "/c"), ("/./a/./../b/.", "/b/"),
        // Escaped dots, in any case and mixture.
        ("/a/%2e%2e/b", "/b"), ("/a/%2E%2e/b", "/b"), ("/a/.%2e/b", "/b"), ("/a/%2E./b", "/b"), ("/%2e/a", "/a"),
        ("/a/%2e", "/a/"),
        // What only looks like them.
        ("/...", "/..."), ("/.../a", "/.../a"), ("/a..", "/a.."), ("/..a/b", "/..a/b"),
        ("/%2e%2e%2e/a", "/%2e%2e%2e/a"),
        ("/.a/%2eb", "/.a/%2eb"), ("/a%2f..%2fb", "/a%2f..%2fb"), ("/%2e%2e%2fa", "/%2e%2e%2fa"),
        ("/%252e%252e/a", "/%252e%252e/a"),
        // Double slashes stay; each begins a segment of its own.
        ("//", "//"), ("//a", "//a"), ("/a//b", "/a//b"), ("/a//../b", "/a/b"), ("//../a", "/a"), ("/a//.", "/a//"),
        // Other escapes stay too.
        ("/%41%2F%ff", "/%41%2F%ff"), ("/é", "/é"),
    ])
    func `dot-segments are resolved and nothing else is touched`(_ raw: String, _ resolved: String) throws {
        let path = try RequestPath(Array(raw.utf8)[...])
        #expect(String(decoding: path.bytes, as: UTF8.self) == resolved)
    }

    @Test(arguments: [
        ("/a/b/", "/a/b/"), ("//", "/"), ("//a", "/a"), ("/a//b", "/a/b"), ("/a///b//", "/a/b/"), ("/a//../b", "/a/b"),
        ("//../a", "/a"), ("/a//.", "/a/"), ("/.//a", "/a"), ("/a%2f%2fb", "/a%2f%2fb"), ("/a/%2f/b", "/a/%2f/b"),
    ])
    func `slashes in a row are one where they are merged`(_ raw: String, _ merged: String) throws {
        let path = try RequestPath(Array(raw.utf8)[...], mergesSlashes: true)
        #expect(String(decoding: path.bytes, as: UTF8.self) == merged)
    }

    @Test(arguments: [
        ("/..", RequestPath.Fault.aboveRoot), ("/../a", .aboveRoot), ("/a/../..", .aboveRoot),
        ("/a/../../b", .aboveRoot), ("/%2e%2E", .aboveRoot), ("/.%2e/a", .aboveRoot), ("/./..", .aboveRoot),
        ("//../../a", .aboveRoot),
        ("/%", .brokenEscape), ("/%a", .brokenEscape), ("/%2", .brokenEscape), ("/a%zz", .brokenEscape),
        ("/%2g/a", .brokenEscape), ("/%%41", .brokenEscape), ("/a%/b", .brokenEscape), ("/%é", .brokenEscape),
        ("/%00", .nul), ("/a%00b/c", .nul), ("/\0", .nul),
        ("", .relative), ("a", .relative), ("*", .relative), ("./a", .relative), ("%2fa", .relative),
        ("http://a/b", .relative),
    ])
    func `what no two programs agree on is refused`(_ raw: String, _ fault: RequestPath.Fault) {
        #expect(throws: fault) { try RequestPath(Array(raw.utf8)[...]) }
    }

    @Test(arguments: [
        "/..%2f", "/..%2Fadmin", "/a/..%2fb", "/a%2f..", "/a%2F..%2Fb", "/%2e%2e%2fa", "/a%2f.%2e/b", "/a%2f.",
        "/.%2fa",
        "/%2f../a%2f.%2fb", "/..%5cadmin", "/a%5C..", "/a\\..\\b", "/..\\", "/..;/admin", "/a/..;x=y/b", "/.;/a",
        "/a/..;",
        "/%2e%2E;/b", "/..%3b/b", "/a/.%2e%3B", "/a%2f..;/b",
    ])
    func `dot-segments that only others find are seen`(_ raw: String) throws {
        #expect(try RequestPath(Array(raw.utf8)[...]).hidesDotSegments)
    }

    @Test(arguments: [
        "/", "/a/b", "/a/../b/./c", "/%2e%2e%2e/a", "/...;/a", "/a%2fb", "/group%2Fproject/x", "/a%2f.b", "/a.%2fb..",
        "/a%5cb",
        "/;v=1/a", "/a;v=../b", "/a;..;/b", "/.a;x/b", "/%252e%252e%252f", "//a", "/a%2f%2fb", "/a..b/c..%2f",
    ])
    func `other escapes and parameters hide nothing`(_ raw: String) throws {
        #expect(try RequestPath(Array(raw.utf8)[...]).hidesDotSegments == false)
    }

    @Test func `a path may be part of something longer`() throws {
        let target = Array("GET /a/../b%2e/c HTTP".utf8)
        let path = try RequestPath(target[4..<16])
        #expect(String(decoding: path.bytes, as: UTF8.self) == "/b%2e/c")
        #expect(throws: RequestPath.Fault.brokenEscape) { try RequestPath(target[4..<12]) }
        #expect(throws: RequestPath.Fault.brokenEscape) { try RequestPath(target[4..<13]) }
    }

    @Test func `bytes at random are taken or refused, never fatal`() {
        var random = SplitMix(state: 7)
        let alphabet = Array("//..%%2eE02fF\0aé*".utf8)
        for _ in 0..<20_000 {
            let raw = (0..<Int.random(in: 0...14, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            guard let path = try? RequestPath([UInt8(ascii: "/")] + raw) else { continue }
            let segments = path.bytes.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            let texts = segments.map { String(decoding: $0, as: UTF8.self).lowercased() }
            #expect(texts.allSatisfy { !["..", ".%2e", "%2e.", "%2e%2e", ".", "%2e"].contains($0) })
        }
    }
}

/// A generator whose numbers are the same in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
