/// Some of the names that have an id, as bits: to ask about a whole group of fields at once.
package struct FieldSet: Sendable, ExpressibleByArrayLiteral {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    package init(arrayLiteral ids: FieldID...) {
        for id in ids { insert(id) }
    }

    package mutating func insert(_ id: FieldID) {
        if id.rawValue < 64 { low |= 1 << UInt64(id.rawValue) } else { high |= 1 << UInt64(id.rawValue & 63) }
    }

    package func contains(_ id: FieldID) -> Bool {
        ((id.rawValue < 64 ? low : high) >> UInt64(id.rawValue & 63)) & 1 == 1
    }
}
