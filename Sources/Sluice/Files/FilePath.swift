/// A request's path as a path below a folder: names, escapes decoded once, with a slash between them.
///
/// There is one way to write each path, so that no other route's rules are passed by: empty names, escaped slashes and
/// backslashes name no file. Nor do control characters and names that begin with a dot, but for `.well-known`.
struct FilePath: Sendable, Hashable {
    /// Without a slash at either end; empty: the folder itself.
    let bytes: [UInt8]
    /// A folder was asked for.
    let endsWithSlash: Bool

    private static let slash = UInt8(ascii: "/")

    /// - Parameter path: empty, or beginning with a slash; its escapes are well-formed and its dot-segments resolved.
    init?(_ path: ArraySlice<UInt8>) {
        guard let first = path.first else {
            bytes = []
            endsWithSlash = false
            return
        }
        guard first == Self.slash else { return nil }
        var segments = path.dropFirst().split(separator: Self.slash, omittingEmptySubsequences: false)
        endsWithSlash = segments.last?.isEmpty ?? true
        if endsWithSlash { _ = segments.popLast() }
        var bytes: [UInt8] = []
        for segment in segments {
            let name = PercentEscape.decoded(segment)
            guard Self.isServed(name) else { return nil }
            if !bytes.isEmpty { bytes.append(Self.slash) }
            bytes += name
        }
        self.bytes = bytes
    }

    /// The path of a file in the folder that this is.
    func adding(_ name: String) -> [UInt8] { bytes.isEmpty ? Array(name.utf8) : bytes + [Self.slash] + name.utf8 }

    private static func isServed(_ name: [UInt8]) -> Bool {
        guard let first = name.first else { return false }
        if first == UInt8(ascii: "."), !name.elementsEqual(".well-known".utf8) { return false }
        return name.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != slash && $0 != UInt8(ascii: "\\") }
    }
}
