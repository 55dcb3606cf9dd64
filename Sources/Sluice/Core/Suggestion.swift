/// "Did you mean": the known name that is nearest to what was written.
package enum Suggestion {
    /// The nearest of `names` by edit distance, when it is near enough to be a slip: a third of its letters at most.
    package static func nearest(to written: String, in names: some Sequence<String>) -> String? {
        let letters = Array(written.lowercased().unicodeScalars)
        guard !letters.isEmpty, letters.count <= 64 else { return nil }
        var best: (name: String, distance: Int)?
        for name in names.sorted() {
            let other = Array(name.lowercased().unicodeScalars)
            guard other.count <= 64 else { continue }
            let distance = Self.distance(letters, other)
            guard distance <= max(1, min(letters.count, other.count) / 3), distance < (best?.distance ?? .max) else {
                continue
            }
            best = (name, distance)
        }
        return best?.name
    }

    /// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
    private static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var least = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, beforeLast[j - 1] + 1) }
                row.append(least)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
