/// Something in a configuration that cannot work.
public struct ConfigurationProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// Where it stands, in the words of the configuration file.
    public let path: Path
    /// What is wrong and what was expected, without the path.
    public let message: String
    /// A name that was probably meant.
    public let suggestion: String?

    package init(_ path: Path, _ message: String, suggestion: String? = nil) {
        self.path = path
        self.message = message
        self.suggestion = suggestion
    }

    /// `topics.market.sources[0]: there is no source "price"; did you mean "prices"?`
    public var description: String {
        let place = path.components.isEmpty ? "" : "\(path): "
        return place + message + (suggestion.map { "; did you mean \"\($0)\"?" } ?? "")
    }

    /// Keys and list positions from the top of a configuration down to one value.
    public struct Path: Sendable, Hashable, CustomStringConvertible {
        package enum Component: Sendable, Hashable {
            case key(String)
            case index(Int)
        }
        package var components: [Component]

        package init(_ components: [Component] = []) { self.components = components }

        package subscript(_ key: String) -> Path { Path(components + [.key(key)]) }
        package subscript(_ index: Int) -> Path { Path(components + [.index(index)]) }

        package func hasPrefix(_ other: Path) -> Bool { components.starts(with: other.components) }

        /// `topics.market.history.bytes`, `routes[2].match`; a name that is not a plain word stands in quotes.
        public var description: String {
            var text = ""
            for component in components {
                switch component {
                case .index(let index):
                    text += "[\(index)]"
                case .key(let key):
                    let isPlain = !key.isEmpty && key.utf8.allSatisfy(Self.isPlain)
                    text += (text.isEmpty ? "" : ".") + (isPlain ? key : "\"\(key)\"")
                }
            }
            return text
        }

        private static func isPlain(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }
}
