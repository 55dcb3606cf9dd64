/// Which events of a feed are published, and as what: filtered by the name they came with, then renamed, then prefixed.
/// An event without a type has the name `message`, here as in a browser.
struct EventNames: Sendable {
    private let include: Set<[UInt8]>
    private let exclude: Set<[UInt8]>
    private let rename: [[UInt8]: [UInt8]]
    private let prefix: [UInt8]

    private static let message = Array("message".utf8)

    /// `nil`: all events pass as they are.
    init?(_ options: FeedEvents) {
        guard options != FeedEvents() else { return nil }
        include = Set(options.include.map { Array($0.utf8) })
        exclude = Set(options.exclude.map { Array($0.utf8) })
        rename = Dictionary(
            options.rename.map { (Array($0.key.utf8), Array($0.value.utf8)) }, uniquingKeysWith: { first, _ in first })
        prefix = Array(options.prefix.utf8)
    }

    /// The type to publish an event with, empty for none; `nil`: it is left out.
    /// - Parameter type: the type that it came with; empty for none.
    func type(for type: [UInt8]) -> [UInt8]? {
        let name = type.isEmpty ? Self.message : type
        guard include.isEmpty || include.contains(name), !exclude.contains(name) else { return nil }
        let renamed = rename[name]
        guard !prefix.isEmpty else {
            guard let renamed else { return type }
            return renamed == Self.message ? [] : renamed
        }
        return prefix + (renamed ?? name)
    }
}
