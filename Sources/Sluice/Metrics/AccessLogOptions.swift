/// The access log: a line for each request that was answered, and two for each stream.
public struct AccessLogOptions: Sendable, Equatable {
    /// Where lines go.
    public var destination: AccessLogDestination
    /// How a line looks.
    public var format: AccessLogFormat
    /// Names of parameters whose values are masked, beside those that are anyway; compared decoded and without case.
    public var mask: [String] = []

    /// An access log; none unless told otherwise.
    public init(_ destination: AccessLogDestination = .off, format: AccessLogFormat = .json) {
        self.destination = destination
        self.format = format
    }
}

/// Where the lines of an access log go.
public struct AccessLogDestination: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case off
        case standardOutput
        case file(String)
    }
    package let kind: Kind

    /// Nowhere.
    public static let off = AccessLogDestination(kind: .off)
    /// Standard output. Whoever reads it slowly holds nobody up: lines are dropped then, and counted.
    public static let standardOutput = AccessLogDestination(kind: .standardOutput)
    /// A file that is appended to, made with mode 0640 where it is missing.
    public static func file(_ path: String) -> AccessLogDestination { AccessLogDestination(kind: .file(path)) }
}

/// How a line of an access log looks.
public struct AccessLogFormat: Sendable, Hashable {
    package enum Kind: Sendable, Hashable { case json, combined }
    package let kind: Kind

    /// One JSON object a line.
    public static let json = AccessLogFormat(kind: .json)
    /// The combined format of web servers; behind the user agent stand `name=value` pairs.
    public static let combined = AccessLogFormat(kind: .combined)
}
