import SluiceHTTP

extension FieldBlock {
    /// Fields as they stand in a head, without line ends.
    init(text: [String]) {
        self.init()
        for line in text {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            append(name: String(parts.first ?? ""), value: String(parts.last ?? ""))
        }
    }

    /// The fields in their order, as `Name: value`.
    var text: [String] {
        var lines: [String] = []
        forEach { _, name, value in
            lines.append("\(String(decoding: name, as: UTF8.self)): \(String(decoding: value, as: UTF8.self))")
        }
        return lines
    }
}
