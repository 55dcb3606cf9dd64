import SluiceHTTP

/// A test of a field or of a value in the query, ready to be made.
struct ValueCondition: Sendable, Hashable {
    /// From weak to strong.
    enum Test: Sendable, Hashable {
        case absent
        case present
        case prefix([UInt8])
        case equal([UInt8])
    }

    /// The name as it was written.
    let name: String
    let test: Test
    private let nameBytes: [UInt8]
    private let id: FieldID

    /// A test that has no problem.
    private init(_ name: String, _ test: ValueTest) throws(PatternError) {
        if let problem = test.problem { throw PatternError(name, problem) }
        self.name = name
        nameBytes = Array(name.utf8)
        id = FieldID.lookup(name)
        self.test =
            if let equal = test.equal { .equal(Array(equal.utf8)) } else if let prefix = test.prefix {
                .prefix(Array(prefix.utf8))
            } else { test.present == false ? .absent : .present }
    }

    /// Tests of header fields, in the order of their names.
    static func headers(_ tests: [String: ValueTest]) throws(PatternError) -> [ValueCondition] {
        var seen: Set<String> = []
        for name in tests.keys.sorted() {
            guard HTTPToken.isValid(name) else { throw PatternError(name, "this is not the name of a field") }
            guard name.lowercased() != "host" else { throw PatternError(name, "the host has a key of its own, host") }
            guard seen.insert(name.lowercased()).inserted else {
                throw PatternError(name, "names of fields have no case, and this one is given twice")
            }
            // The white space around a field's value is no part of it.
            let test = tests[name]
            let hasBlankEnd = test?.equal.map { isBlank($0.utf8.first) || isBlank($0.utf8.last) } ?? false
            if hasBlankEnd || isBlank(test?.prefix?.utf8.first) {
                throw PatternError(name, "no field's value has white space around it")
            }
        }
        return try conditions(tests)
    }

    /// Tests of values in the query, in the order of their names.
    static func query(_ tests: [String: ValueTest]) throws(PatternError) -> [ValueCondition] {
        if tests[""] != nil { throw PatternError("", "expected the name of a value in the query") }
        return try conditions(tests)
    }

    private static func conditions(_ tests: [String: ValueTest]) throws(PatternError) -> [ValueCondition] {
        var conditions: [ValueCondition] = []
        for (name, test) in tests.sorted(by: { $0.key < $1.key }) { conditions.append(try ValueCondition(name, test)) }
        return conditions
    }

    private static func isBlank(_ byte: UInt8?) -> Bool { byte == 0x20 || byte == 0x09 }

    /// Whether header fields pass.
    func isMet(by fields: FieldBlock) -> Bool {
        fields.contains(id, named: nameBytes) { value in
            switch test {
            case .absent, .present: true
            case .prefix(let prefix): value.starts(with: prefix)
            case .equal(let text): value.elementsEqual(text)
            }
        } != (test == .absent)
    }

    /// Whether a query passes. What is in it is compared decoded.
    func isMet(byQuery query: ArraySlice<UInt8>?) -> Bool {
        QueryString.contains(nameBytes, in: query) { value in
            switch test {
            case .absent, .present: true
            case .prefix(let prefix): value.decodes(to: prefix, andMore: true)
            case .equal(let text): value.decodes(to: text, andMore: false)
            }
        } != (test == .absent)
    }

    /// Whether whatever passes `other` passes this one. Fields' names are compared without case, as in `headers`.
    func covers(_ other: ValueCondition, isField: Bool) -> Bool {
        guard isField ? name.lowercased() == other.name.lowercased() : name == other.name else { return false }
        return switch (test, other.test) {
        case (.absent, .absent): true
        case (.present, let other): other != .absent
        case (.prefix(let own), .prefix(let text)), (.prefix(let own), .equal(let text)): text.starts(with: own)
        case (.equal(let own), .equal(let text)): own == text
        default: false
        }
    }
}

extension [ValueCondition] {
    /// Whether whatever passes all of `other` passes all of these.
    func cover(_ other: [ValueCondition], areFields: Bool) -> Bool {
        allSatisfy { own in other.contains { own.covers($0, isField: areFields) } }
    }
}
