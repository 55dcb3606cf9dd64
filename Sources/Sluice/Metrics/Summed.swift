/// Counters that are summed over the workers.
protocol Summed {
    /// What is added up.
    static var fields: [WritableKeyPath<Self, UInt64>] { get }
}

extension Summed {
    func adding(_ other: Self) -> Self {
        var sum = self
        for field in Self.fields { sum[keyPath: field] &+= other[keyPath: field] }
        return sum
    }
}
