import SluiceHTTP
import Testing

@Suite struct AcceptEncodingTests {
    private func allowsGzip(_ values: String...) -> Bool {
        AcceptEncoding.allowsGzip(values.map { Array($0.utf8)[...] })
    }

    @Test(arguments: [
        "gzip", "GZip", "x-gzip", "gzip, deflate, br, zstd", "br;q=1.0, gzip;q=0.001", "*", "deflate, *;q=0.1",
        "gzip;q=1.000", "gzip ; q=0.5", " gzip,", "identity;q=0.5, gzip", "identity, gzip", "identity;q=0, gzip;q=0.1",
        "gzip, identity;q=nonsense", "x-gzip;q=0, gzip",
    ])
    func `gzip is allowed by`(value: String) { #expect(allowsGzip(value)) }

    @Test(arguments: [
        "", "identity", "br", "deflate", "gzip;q=0", "gzip;q=0.000", "*;q=0", "gzip;q=0, *", "x-gzip;q=0",
        "identity, gzip;q=0.9", "identity;q=0.5, *;q=0.4", "gzip;q=2", "gzip;q=", "gzip;level=9", "gzip;q=0.5;x",
        "gzipped", "not gzip", "gzip;q=0.5000",
    ])
    func `gzip is not allowed by`(value: String) { #expect(!allowsGzip(value)) }

    @Test func `several fields count as one, and none allows nothing`() {
        #expect(allowsGzip("deflate", "br, gzip"))
        #expect(!allowsGzip("gzip;q=0.5", "identity;q=0.6"))
        #expect(!allowsGzip())
    }
}
