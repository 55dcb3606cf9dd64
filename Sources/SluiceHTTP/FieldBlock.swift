/// The fields of a head or of trailers, in order: one array of bytes and, for each field, where its name and value
/// stand in it. A field costs no allocation of its own, and copying a block copies two references.
///
/// Nothing that could end a line gets in: the parser has refused it, and `append` replaces it (RFC 9110, 5.5).
package struct FieldBlock: Sendable {
    /// Where one field stands. Offsets fit 32 bits because heads are limited to far less.
    struct Entry: Sendable {
        var nameStart: UInt32
        var nameEnd: UInt32
        var valueStart: UInt32
        var valueEnd: UInt32
        var id: FieldID

        var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }
        var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
    }

    private(set) var bytes: [UInt8]
    private(set) var entries: [Entry]

    /// An empty block.
    package init() {
        bytes = []
        entries = []
    }

    /// A parsed block. Every range must lie in `bytes`.
    init(bytes: [UInt8], entries: [Entry]) {
        self.bytes = bytes
        self.entries = entries
    }

    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }

    /// Adds a field. Control characters in the value become spaces.
    package mutating func append(_ id: FieldID, _ value: StaticString) {
        unsafe append(id, UnsafeBufferPointer(start: value.utf8Start, count: value.utf8CodeUnitCount))
    }

    /// Adds a field. Control characters in the value become spaces.
    package mutating func append(_ id: FieldID, _ value: String) {
        var value = value
        value.withUTF8 { unsafe append(id, $0) }
    }

    /// Adds a field. Control characters in the value become spaces.
    package mutating func append(_ id: FieldID, _ value: [UInt8]) {
        // What is generic is not specialised for other modules.
        unsafe value.withUnsafeBufferPointer { unsafe append(id, $0) }
    }

    /// Adds a field. Control characters in the value become spaces.
    package mutating func append(_ id: FieldID, _ value: ArraySlice<UInt8>) {
        unsafe value.withUnsafeBufferPointer { unsafe append(id, $0) }
    }

    /// Adds a field. Control characters in the value become spaces.
    package mutating func append(_ id: FieldID, _ value: some Collection<UInt8>) {
        guard id != .other else { return }
        let name = id.name
        unsafe append(
            id, name: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount), value: value)
    }

    /// Adds a field by name. False, and nothing added, when the name is not a token. Control characters in the value
    /// become spaces.
    @discardableResult
    package mutating func append(name: String, value: String) -> Bool {
        append(name: name.utf8, value: value.utf8)
    }

    /// Adds a field by name. False, and nothing added, when the name is not a token. Control characters in the value
    /// become spaces.
    @discardableResult
    package mutating func append(name: some Collection<UInt8>, value: some Collection<UInt8>) -> Bool {
        guard !name.isEmpty, name.allSatisfy(ByteSet.token.contains) else { return false }
        let start = bytes.count
        append(.other, name: name, value: value)
        guard let last = entries.indices.last, bytes.count > start else { return false }
        let range = entries[last].name
        entries[last].id = unsafe bytes.withUnsafeBytes { unsafe FieldID.lookup(.init(rebasing: $0[range])) }
        return true
    }

    private mutating func append(_ id: FieldID, name: some Collection<UInt8>, value: some Collection<UInt8>) {
        let start = bytes.count
        bytes.append(contentsOf: name)
        let nameEnd = bytes.count
        // As it stands in a head, see `writeLines`.
        bytes.append(ASCII.colon)
        bytes.append(ASCII.space)
        let valueStart = bytes.count
        bytes.append(contentsOf: value)
        var index = valueStart
        while true {
            index = unsafe bytes.withUnsafeBytes { unsafe ASCII.valueEnd(in: $0, from: index, to: $0.count) }
            guard index < bytes.count else { break }
            bytes[index] = ASCII.space
        }
        guard UInt32(exactly: bytes.count) != nil else {
            bytes.removeSubrange(start...)
            return
        }
        let value = unsafe bytes.withUnsafeBytes { unsafe ASCII.trimmed($0, valueStart..<$0.count) }
        if value.upperBound < bytes.count { bytes.removeSubrange(value.upperBound...) }
        bytes.append(ASCII.carriageReturn)
        bytes.append(ASCII.lineFeed)
        entries.append(
            Entry(
                nameStart: UInt32(truncatingIfNeeded: start), nameEnd: UInt32(truncatingIfNeeded: nameEnd),
                valueStart: UInt32(truncatingIfNeeded: value.lowerBound),
                valueEnd: UInt32(truncatingIfNeeded: value.upperBound), id: id))
    }

    /// The value of the first field with this id.
    package func first(_ id: FieldID) -> ArraySlice<UInt8>? {
        for entry in entries where entry.id == id { return bytes[entry.value] }
        return nil
    }

    /// The values of all fields with this id, in order.
    package func all(_ id: FieldID) -> [ArraySlice<UInt8>] {
        guard has(id) else { return [] }
        return entries.filter { $0.id == id }.map { bytes[$0.value] }
    }

    /// The first value with this id as text; what is not UTF-8 becomes U+FFFD.
    package func string(_ id: FieldID) -> String? {
        first(id).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The value of the first field with this name, compared without case.
    package func first(named name: String) -> ArraySlice<UInt8>? {
        let id = FieldID.lookup(name)
        if id != .other { return first(id) }
        for entry in entries where ASCII.equalIgnoringCase(bytes[entry.name], name.utf8) { return bytes[entry.value] }
        return nil
    }

    /// Whether the first field with this id has just this value.
    package func has(_ id: FieldID, _ value: StaticString) -> Bool {
        guard let found = first(id), found.count == value.utf8CodeUnitCount else { return false }
        return unsafe found.withUnsafeBytes { found in
            unsafe found.elementsEqual(UnsafeRawBufferPointer(start: value.utf8Start, count: found.count))
        }
    }

    /// How many fields there are with this id.
    package func count(of id: FieldID) -> Int {
        var count = 0
        for entry in entries where entry.id == id { count += 1 }
        return count
    }

    /// Whether there is a field with this id.
    package func has(_ id: FieldID) -> Bool {
        for entry in entries where entry.id == id { return true }
        return false
    }

    /// Whether one of the comma-separated elements of the fields with this id is this token, compared without case.
    package func hasToken(_ id: FieldID, _ token: StaticString) -> Bool {
        guard has(id) else { return false }
        return unsafe bytes.withUnsafeBytes { whole in
            for entry in entries where entry.id == id {
                var elements = unsafe FieldList(.init(rebasing: whole[entry.value]))
                while let element = unsafe elements.next() {
                    if unsafe ASCII.equalIgnoringCase(element, token) { return true }
                }
            }
            return false
        }
    }

    /// Calls with each comma-separated element of the fields with this id, without the white space around it.
    package func forEachElement(of id: FieldID, _ body: (UnsafeRawBufferPointer) -> Void) {
        unsafe bytes.withUnsafeBytes { whole in
            for entry in entries where entry.id == id {
                var elements = unsafe FieldList(.init(rebasing: whole[entry.value]))
                while let element = unsafe elements.next() { unsafe body(element) }
            }
        }
    }

    /// Calls with each field in order: id, name as it was spelt, value without the white space around it.
    package func forEach(_ body: (FieldID, ArraySlice<UInt8>, ArraySlice<UInt8>) throws -> Void) rethrows {
        for entry in entries { try body(entry.id, bytes[entry.name], bytes[entry.value]) }
    }

    /// Takes away all fields with this id.
    package mutating func remove(_ id: FieldID) {
        entries.removeAll { $0.id == id }
    }

    /// Takes away the fields for which the closure, given id, name and value, says so.
    package mutating func removeAll(where drops: (FieldID, ArraySlice<UInt8>, ArraySlice<UInt8>) -> Bool) {
        entries.removeAll { drops($0.id, bytes[$0.name], bytes[$0.value]) }
    }

    /// Takes away all fields with these ids, and those without an id whose name the closure takes.
    package mutating func removeAll(_ ids: FieldSet, orNamed drops: (ArraySlice<UInt8>) -> Bool = { _ in false }) {
        entries.removeAll { entry in
            entry.id == .other ? drops(bytes[entry.name]) : ids.contains(entry.id)
        }
    }

    /// Puts one field in the place of all with this id.
    package mutating func set(_ id: FieldID, _ value: String) {
        remove(id)
        append(id, value)
    }

    /// Appends the fields as the lines of a head, but for those with some ids. Fields that stand beside each other as
    /// they are to be written, as nearly all that were parsed do, are copied together.
    func writeLines(except left: FieldSet, to output: inout [UInt8]) {
        unsafe bytes.withUnsafeBytes { whole in
            var run = 0..<0
            for entry in entries where !left.contains(entry.id) {
                let isLine = unsafe entry.isLine(in: whole)
                if isLine, entry.name.lowerBound == run.upperBound {
                    run = run.lowerBound..<(entry.value.upperBound &+ 2)
                    continue
                }
                unsafe output.append(contentsOf: UnsafeRawBufferPointer(rebasing: whole[run]))
                run = isLine ? entry.name.lowerBound..<(entry.value.upperBound &+ 2) : 0..<0
                if !isLine { unsafe entry.writeLine(of: whole, to: &output) }
            }
            unsafe output.append(contentsOf: UnsafeRawBufferPointer(rebasing: whole[run]))
        }
    }
}

extension FieldBlock.Entry {
    /// Whether it stands in the bytes just as it is to be written: `Name: value` and the line's end.
    func isLine(in bytes: UnsafeRawBufferPointer) -> Bool {
        let end = value.upperBound
        return unsafe name.upperBound &+ 2 == value.lowerBound && end &+ 2 <= bytes.count
            && bytes[name.upperBound] == ASCII.colon && bytes[name.upperBound &+ 1] == ASCII.space
            && bytes[end] == ASCII.carriageReturn && bytes[end &+ 1] == ASCII.lineFeed
    }

    func writeLine(of bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        unsafe output.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[name]))
        output.append(ASCII.colon)
        output.append(ASCII.space)
        unsafe output.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[value]))
        output.append(ASCII.carriageReturn)
        output.append(ASCII.lineFeed)
    }
}
