import SluiceIO
import Testing

struct IPAddressTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
        ("::", "::"), ("::1", "::1"), ("2001:db8::1", "2001:db8::1"),
        ("2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("1::", "1::"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"),
        ("0:0:1::", "0:0:1::"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ])
    func `an address is read and written canonically`(_ text: String, _ canonical: String) {
        #expect(IPAddress(text)?.description == canonical)
        #expect(IPAddress(ascii: Array(text.utf8)) == IPAddress(canonical))
    }

    @Test(arguments: [
        "", ".", ":", ":::", "1", "1.2.3", "1.2.3.4.5", "1.2.3.4.", ".1.2.3.4", "256.1.1.1", "1.2.3.04", "01.2.3.4",
        "1.2.3.1000", "1.2.3.99999999999999999999", "1.2.3.a", " 1.2.3.4", "1.2.3.4 ", "1..2.3", "-1.2.3.4",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9", "1::2::3", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "12345::", "g::", "1:", ":1",
        "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "1.2.3.4::", "fe80::1%eth0", "[::1]", "::1\0", "1.2.3.4\0",
        "::ffff:1.2.3.256",
        "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555", "１.2.3.4", "::1:", "1:2:3:4:5:6:7:", ":1:2:3:4:5:6:7",
    ])
    func `what is not an address is refused`(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func `a mapped address is the IPv4 address it maps`() {
        #expect(IPAddress("::ffff:192.0.2.1") == IPAddress("192.0.2.1"))
        #expect(IPAddress("::ffff:c000:201")?.description == "192.0.2.1")
        #expect(IPAddress("192.0.2.1")?.isV4 == true)
        #expect(IPAddress("::192.0.2.1")?.isV4 == false)
    }

    @Test func `no bytes make the parser fail otherwise than by refusing`() {
        var random = SystemRandomNumberGenerator()
        let alphabet = Array("0123456789abcdefF:.:.:%[] \0".utf8)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0..<50, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            if let address = IPAddress(ascii: bytes) { #expect(IPAddress(address.description) == address) }
        }
    }
}

struct IPNetworkTests {
    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.1.2.3/8", "10.9.9.9", true),
        ("0.0.0.0/0", "1.2.3.4", true), ("0.0.0.0/0", "::1", false), ("::/0", "::1", true), ("::/0", "1.2.3.4", false),
        ("::1/128", "::1", true), ("::1/128", "::2", false), ("192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1", "192.0.2.2", false), ("192.0.2.1/32", "192.0.2.1", true),
        ("2001:db8::/32", "2001:db8:9::1", true),
        ("2001:db8::/33", "2001:db8:8000::1", false), ("2001:db8::/64", "2001:db8::ffff", true),
        ("2001:db8::/65", "2001:db8::8000:0:0:0", false), ("::ffff:10.0.0.0/104", "10.1.1.1", true),
        ("10.0.0.0/8", "::ffff:10.1.1.1", true), ("128.0.0.0/1", "127.255.255.255", false),
    ])
    func `a network contains its addresses and no others`(_ network: String, _ address: String, _ isInside: Bool) throws
    {
        let network = try #require(IPNetwork(network))
        let address = try #require(IPAddress(address))
        #expect(network.contains(address) == isInside)
    }

    @Test(arguments: [
        "", "/", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "10.0.0.0/08",
        "10.0.0.0/9999", "a/8", "10.0.0.0/ 8",
    ])
    func `what is not a network is refused`(_ text: String) {
        #expect(IPNetwork(text) == nil)
    }

    @Test func `networks that hold the same addresses are equal`() {
        #expect(IPNetwork("10.1.2.3/8") == IPNetwork("10.0.0.0/8"))
        #expect(IPNetwork("10.1.2.3/8")?.description == "10.0.0.0/8")
        #expect(IPNetwork("2001:db8::1/32")?.description == "2001:db8::/32")
    }
}

struct SocketAddressTests {
    @Test(arguments: [
        (":8080", "[::]:8080"), ("127.0.0.1:80", "127.0.0.1:80"), ("localhost:443", "127.0.0.1:443"),
        ("[::1]:80", "[::1]:80"), ("0.0.0.0:0", "0.0.0.0:0"), ("unix:/run/a.sock", "unix:/run/a.sock"),
        ("unix:relative", "unix:relative"), ("[::ffff:1.2.3.4]:5", "1.2.3.4:5"), (":65535", "[::]:65535"),
    ])
    func `a place to listen is read`(_ text: String, _ description: String) throws {
        let address = try SocketAddress.listening(text)
        #expect(address.description == description)
    }

    @Test(arguments: [
        ("", "expected host:port"), ("8080", "expected host:port"), ("localhost", "expected host:port"),
        (":65536", "the port must be"), (":-1", "the port must be"), (":", "the port must be"),
        (":8080x", "the port must be"),
        (":+80", "the port must be"), ("::1:80", "stands in brackets: [::1]:80"), ("[::1]", "expected a port after ]"),
        ("[1.2.3.4]:80", "not an IPv6 address"), ("[]:80", "not an IPv6 address"), ("example.com:80", "not looked up"),
        ("1.2.3:80", "is not an IP address"), ("unix:", "the path is missing"), ("unix:/a\0b", "zero byte"),
        ("[:80", "expected a port after ]"),
        ("unix:/" + String(repeating: "x", count: 107), "longer than 107"),
    ])
    func `what cannot be listened on is refused with its reason`(_ text: String, _ reason: String) {
        let error = #expect(throws: AddressError.self) { try SocketAddress.listening(text) }
        #expect(error?.reason.contains(reason) == true, "\(String(describing: error))")
        #expect(error?.text == text)
    }
}
