package import SluiceHTTP

/// What a request has shown.
package enum AuthorizationResult: Sendable, Hashable {
    /// What is asked for.
    case granted
    /// Nothing of the kind that is asked for: 401.
    case missing
    /// Something wrong: 401.
    case invalid

    /// The value of WWW-Authenticate for the 401 (RFC 6750, section 3); `nil` when granted.
    package var challenge: StaticString? {
        switch self {
        case .granted: nil
        case .missing: "Bearer"
        case .invalid: "Bearer error=\"invalid_token\""
        }
    }
}

extension Authorization {
    /// Looks at a request's Authorization (RFC 9110, section 11.6.2). Two of them are wrong, as nobody can say which
    /// one counts.
    package func check(_ head: RequestHead) -> AuthorizationResult {
        let values = Array(head.fields.all(.authorization))
        guard let value = values.first else { return .missing }
        guard values.count == 1 else { return .invalid }
        let space = value.firstIndex(of: UInt8(ascii: " ")) ?? value.endIndex
        guard Self.isBearer(value[..<space]) else { return .missing }
        var token = value[space...].drop { $0 == UInt8(ascii: " ") }
        while token.last == UInt8(ascii: " ") { token.removeLast() }
        switch kind {
        case .bearer(let secret): return Self.isEqual(token, secret) ? .granted : .invalid
        }
    }

    private static func isBearer(_ scheme: ArraySlice<UInt8>) -> Bool {
        scheme.count == 6 && zip(scheme, "bearer".utf8).allSatisfy { $0 | 0x20 == $1 }
    }

    /// Compares every byte of what was shown, whatever differs before it: the time depends on its length alone, so it
    /// tells neither the secret nor how much of it was right. An empty secret is nobody's.
    private static func isEqual(_ shown: ArraySlice<UInt8>, _ secret: Secret) -> Bool {
        let expected = Array(secret.value.utf8)
        guard !expected.isEmpty else { return false }
        var difference = shown.count ^ expected.count
        var index = 0
        for byte in shown {
            difference |= Int(byte ^ expected[index])
            index = index &+ 1 == expected.count ? 0 : index &+ 1
        }
        return difference == 0
    }
}
