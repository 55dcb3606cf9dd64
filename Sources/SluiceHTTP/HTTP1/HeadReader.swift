/// Reads the fields of a head behind its first line, and gathers what they say about framing: the same for requests
/// and responses.
struct HeadReader: Sendable {
    var bytes = HeadBytes()
    private var section = FieldSection()
    private(set) var framing = Framing()
    private var fieldsStart = 0

    /// Called when the first line is complete and ends before `index`.
    mutating func beginFields(at index: Int) {
        fieldsStart = index &+ bytes.delta
        framing = Framing()
    }

    /// Takes field lines. True when the empty line is taken; false when the input is used up.
    mutating func readFields(
        _ input: UnsafeRawBufferPointer, _ index: inout Int, limits: HTTP1Limits
    ) throws(HTTPError) -> Bool {
        let delta = bytes.delta
        let allowance = fieldsStart &+ limits.head &- (index &+ delta)
        let end = min(input.count, index &+ max(allowance, 0))
        while true {
            switch try unsafe section.scan(input, &index, to: end, delta: delta, limits: limits) {
            case .more:
                guard end == input.count else { throw HTTPError(status: 431, reason: "header too large") }
                unsafe bytes.store(input, upTo: index)
                return false
            case .field:
                try unsafe note(input, upTo: index)
            case .end:
                return true
            }
        }
    }

    private mutating func note(_ input: UnsafeRawBufferPointer, upTo index: Int) throws(HTTPError) {
        guard let entry = section.entries.last else { return }
        let id = try unsafe bytes.withBytes(input, upTo: index) { head throws(HTTPError) in
            unsafe FieldID.lookup(UnsafeRawBufferPointer(rebasing: head[entry.name]))
        }
        section.identify(id)
        guard Framing.ids.contains(id) else { return }
        var noted = framing
        try unsafe bytes.withBytes(input, upTo: index) { head throws(HTTPError) in
            try unsafe noted.note(id, head, entry.value)
        }
        framing = noted
    }

    /// Hands the complete head over, and is ready for the next.
    mutating func take(_ input: UnsafeRawBufferPointer, upTo index: Int) -> FieldBlock {
        FieldBlock(bytes: unsafe bytes.take(input, upTo: index), entries: section.take())
    }

    /// Lets go of everything.
    mutating func reset() { self = HeadReader() }
}
