/// What a header field or a value in the query must be. Where there are several, one that passes is enough.
public struct ValueTest: Sendable, Equatable {
    /// All of the value, case and all.
    public var equal: String?
    /// What the value begins with.
    public var prefix: String?
    /// Whether there is one at all.
    public var present: Bool?

    /// A test. One of the three has to be given.
    public init(equal: String? = nil, prefix: String? = nil, present: Bool? = nil) {
        self.equal = equal
        self.prefix = prefix
        self.present = present
    }

    /// The value is this text.
    public static func equal(_ text: String) -> ValueTest { ValueTest(equal: text) }
    /// The value begins with this text.
    public static func prefix(_ text: String) -> ValueTest { ValueTest(prefix: text) }
    /// There is a value.
    public static let present = ValueTest(present: true)
    /// There is none.
    public static let absent = ValueTest(present: false)

    /// Why nothing can pass, or why it says nothing; `nil` when it can be looked at.
    var problem: String? {
        if equal == nil, prefix == nil, present == nil { return "expected a text, or one of equal, prefix and present" }
        if present == false, equal != nil || prefix != nil {
            return "what is not present has no value: present: false contradicts \(equal == nil ? "prefix" : "equal")"
        }
        if let equal, let prefix, !equal.utf8.starts(with: prefix.utf8) {
            return "nothing is \"\(equal)\" and begins with \"\(prefix)\""
        }
        return nil
    }
}
