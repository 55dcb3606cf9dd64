/// How a route serves files of a folder.
public struct FileOptions: Sendable, Equatable {
    /// The folder. A relative one starts where the process runs, in a configuration file at the file's own folder. It
    /// is opened anew for each request, so that a link in its place may be changed at any time.
    public var root: String
    /// Names of the file that stands for a folder; the first that is there is served. Empty: none does.
    public var index: [String]
    /// A file below the root that is served, with status 200, for paths that are not there: the page of an application
    /// that routes by itself. `nil`: they are 404.
    public var fallback: String?
    /// The `Cache-Control` of files; `nil`: none is sent.
    public var cacheControl: String?
    /// Media types by extension, without its dot, beside those that are known or in place of them.
    public var types: [String: String]

    /// Whether who accepts gzip gets the file of the same name and `.gz` beside a file, where there is one.
    public var precompressed: Bool

    /// Files below a folder.
    public init(
        root: String, index: [String] = ["index.html"], fallback: String? = nil, cacheControl: String? = nil,
        types: [String: String] = [:], precompressed: Bool = false
    ) {
        self.root = root
        self.index = index
        self.fallback = fallback
        self.cacheControl = cacheControl
        self.types = types
        self.precompressed = precompressed
    }
}

extension RouteTarget {
    /// Serves the files of a folder: a request's path below it is what the `**` of the route's path takes, or the whole
    /// path where it has none. See ``FileOptions``.
    public static func files(_ root: String) -> RouteTarget { .files(FileOptions(root: root)) }
    /// Serves the files of a folder; see ``FileOptions``.
    public static func files(_ options: FileOptions) -> RouteTarget { RouteTarget(kind: .files(options)) }
}
