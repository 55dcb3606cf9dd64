import Sluice
import SluiceHTTP
import SluiceIO
import Testing

@Suite struct `Whom a limit counts` {
    private let here = IPAddress("192.0.2.1")
    private let there = IPAddress("192.0.2.2")

    private func request(_ target: String = "/", _ fields: [(String, String)] = []) -> RequestHead {
        var block = FieldBlock()
        for (name, value) in fields { block.append(name: name, value: value) }
        return .make(target: target, fields: block)
    }

    @Test func `an address of IPv6 stands for its network of 64 bits`() {
        #expect(LimitKey(IPAddress("2001:db8::1")) == LimitKey(IPAddress("2001:db8::ffff:1:2:3")))
        #expect(LimitKey(IPAddress("2001:db8::1")) != LimitKey(IPAddress("2001:db8:0:1::1")))
        #expect(LimitKey(here) != LimitKey(there))
        #expect(LimitKey(here) == LimitKey(IPAddress("::ffff:192.0.2.1")))
    }

    @Test func `a header's value counts wherever it comes from`() {
        let key = ClientKey.header("X-Api-Key")
        let first = key.find(in: request("/", [("x-api-key", "a")]), address: here)
        #expect(first == key.find(in: request("/", [("X-API-Key", "a")]), address: there))
        #expect(first != key.find(in: request("/", [("X-Api-Key", "b")]), address: here))
    }

    @Test func `a cookie is found among others`() {
        let key = ClientKey.cookie("id")
        let plain = key.find(in: request("/", [("Cookie", "id=7")]), address: here)
        #expect(plain == key.find(in: request("/", [("Cookie", "xid=1; id=7; id=8")]), address: there))
        #expect(plain == key.find(in: request("/", [("Cookie", "a=1"), ("Cookie", "id=7")]), address: there))
    }

    @Test func `a parameter counts decoded`() {
        let key = ClientKey.query("k")
        let plain = key.find(in: request("/?k=a"), address: here)
        #expect(plain == key.find(in: request("/?x=1&k=%61"), address: there))
        #expect(plain != key.find(in: request("/?k=%6"), address: there))
    }

    @Test(arguments: [ClientKey.header("X-Api-Key"), .cookie("id"), .query("k"), .address])
    func `a request that does not show it counts by address`(_ key: ClientKey) {
        for head in [
            request(), request("/?k="), request("/", [("X-Api-Key", "")]), request("/", [("Cookie", "id")]),
            request("/", [("Cookie", "id=")]), request("/", [("X-Api-Key", "a"), ("X-Api-Key", "b")]),
        ] {
            #expect(key.find(in: head, address: here) == LimitKey(here))
        }
    }

    @Test func `a value that looks like nothing is not the client without an address`() {
        #expect(LimitKey(named: []) != LimitKey(nil))
    }
}
