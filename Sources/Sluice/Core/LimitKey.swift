package import SluiceIO

/// Whom a limit counts, in a fixed size: what a client says of itself may be long.
package struct LimitKey: Hashable, Sendable {
    private let isNamed: Bool
    private let high: UInt64
    private let low: UInt64

    /// A client by its address. An IPv6 client has a network of 64 bits to choose addresses from, so that counts as one.
    /// All clients without an address, those of a unix socket, are one.
    package init(_ address: IPAddress?) {
        isNamed = false
        high = address?.high ?? 0
        low = address.map { $0.isV4 ? $0.low : 0 } ?? 0
    }

    /// A client by what it showed: 128 bits of a hash that nobody outside of this process can compute.
    package init(named value: some Collection<UInt8>) {
        isNamed = true
        high = Self.hash(0, value)
        low = Self.hash(1, value)
    }

    private static func hash(_ salt: UInt8, _ value: some Collection<UInt8>) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(salt)
        for byte in value { hasher.combine(byte) }
        return UInt64(truncatingIfNeeded: hasher.finalize())
    }
}
