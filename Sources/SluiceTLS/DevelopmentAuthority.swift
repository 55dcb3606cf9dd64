/// A local certificate authority for development: what `tls: development` and `sluice cert` use.
package struct DevelopmentAuthority {
    package typealias Paths = (certificate: String, key: String, authority: String)

    /// Stand-in until the builder is there.
    package static func ensure(directory: String, names: [String]) throws(TLSError) -> Paths {
        throw TLSError(.internal, "not made yet")
    }
}
