/// Fields by names that may have no id.
extension FieldBlock {
    /// Whether there is a field of this name, whose id is given too, with a value that passes.
    package func contains(_ id: FieldID, named name: [UInt8], where passes: (ArraySlice<UInt8>) -> Bool) -> Bool {
        for entry in entries
        where entry.id == id && (id != .other || ASCII.equalIgnoringCase(bytes[entry.name], name)) {
            if passes(bytes[entry.value]) { return true }
        }
        return false
    }

    /// Takes away all fields of this name, compared without case.
    package mutating func remove(named name: String) {
        let id = FieldID.lookup(name)
        removeAll { found, spelt, _ in found == id && (id != .other || ASCII.equalIgnoringCase(spelt, name.utf8)) }
    }
}
