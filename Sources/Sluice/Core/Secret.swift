/// A value that must not be shown: it prints as `[secret]`.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package let value: String

    /// Wraps a secret.
    public init(_ value: String) { self.value = value }

    /// Always `[secret]`.
    public var description: String { "[secret]" }
    /// Always `[secret]`.
    public var debugDescription: String { description }
    /// Shows nothing of the value.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
