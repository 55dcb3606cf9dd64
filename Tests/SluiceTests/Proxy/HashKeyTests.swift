import SluiceHTTP
import SluiceIO
import Testing

@testable import Sluice

struct HashKeyTests {
    private func key(
        _ source: HashSource, target: String = "/", _ fields: [(String, String)] = [], client: String? = nil
    ) -> UInt64? {
        var block = FieldBlock()
        for (name, value) in fields { block.append(name: name, value: value) }
        return HashKey.of(
            RequestHead.make(target: target, fields: block), source, client: client.flatMap { IPAddress($0) })
    }

    private func text(_ text: String) -> UInt64 { StableHash.of(text.utf8) }

    @Test func `a field is found whatever its case, and the first counts`() {
        #expect(key(.header("x-user"), [("X-User", "a"), ("X-User", "b")]) == text("a"))
        #expect(key(.header("Referer"), [("referer", "a")]) == text("a"))
        #expect(key(.header("x-user"), [("X-Other", "a")]) == nil)
        #expect(key(.header("x-user"), [("X-User", "")]) == nil)
    }

    @Test(arguments: [
        ("sid=a", "a"), ("x=1; sid=a; sid=b", "a"), ("x=1;sid=a=b", "a=b"), ("sid", nil), ("sid=", nil),
        ("SID=a", nil), ("xsid=a", nil), ("", nil), (";;; ;sid=a", "a"),
    ])
    func `a cookie is found among others`(field: String, value: String?) {
        #expect(key(.cookie("sid"), [("Cookie", field)]) == value.map(text))
    }

    @Test func `cookies may stand in several fields`() {
        #expect(key(.cookie("sid"), [("cookie", "a=1"), ("cookie", "sid=x")]) == text("x"))
    }

    @Test func `a parameter counts as what it says, not as how it is written`() {
        #expect(key(.query("user"), target: "/p?a=1&user=J%C3%B6+x") == text("Jö x"))
        #expect(key(.query("user"), target: "/p?user=a&user=b") == text("a"))
        #expect(key(.query("user"), target: "/p?user=%zz") == text("%zz"))
        #expect(key(.query("user"), target: "/p?user=") == nil)
        #expect(key(.query("user"), target: "/p") == nil)
    }

    @Test func `clients are told apart by their address`() {
        #expect(key(.address, client: "10.0.0.1") == key(.address, client: "::ffff:10.0.0.1"))
        #expect(key(.address, client: "10.0.0.1") != key(.address, client: "10.0.0.2"))
        #expect(key(.address, client: "2001:db8::1") != key(.address, client: "2001:db8:1::1"))
        #expect(key(.address) == nil)
    }

    @Test func `hashes are the same in every process`() {
        // FNV-1a of nothing and of "a", through the finalizer of SplitMix64.
        #expect(StableHash.of([]) == StableHash.mix(0xCBF2_9CE4_8422_2325))
        #expect(StableHash.of("a".utf8) == StableHash.mix(0xAF63_DC4C_8601_EC8C))
        // The first number of SplitMix64 that begins with 0.
        var chance = SplitMix64(seed: 0)
        #expect(chance.next() == 0xE220_A839_7B1D_CDAF)
    }
}
