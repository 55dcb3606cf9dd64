package import SluiceHTTP

/// Changes to the fields of a header: some go, then some are set, then some are added.
public struct HeaderEdits: Sendable, Equatable {
    /// Fields that stand in the place of all with their names. A name may stand here several times.
    public var set: [(name: String, value: String)] {
        get { setFields.map { ($0.name, $0.value) } }
        set { setFields = newValue.map { FixedResponse.Field(name: $0.name, value: $0.value) } }
    }
    /// Fields that come beside those that are there.
    public var add: [(name: String, value: String)] {
        get { addedFields.map { ($0.name, $0.value) } }
        set { addedFields = newValue.map { FixedResponse.Field(name: $0.name, value: $0.value) } }
    }
    /// The names of fields that go.
    public var remove: [String]

    private var setFields: [FixedResponse.Field] = []
    private var addedFields: [FixedResponse.Field] = []

    /// Changes.
    public init(
        set: [(name: String, value: String)] = [], add: [(name: String, value: String)] = [], remove: [String] = []
    ) {
        self.remove = remove
        self.set = set
        self.add = add
    }

    /// Changes fields.
    package func apply(to fields: inout FieldBlock) {
        for name in remove { fields.remove(named: name) }
        for field in setFields { fields.remove(named: field.name) }
        for field in setFields { fields.append(name: field.name, value: field.value) }
        for field in addedFields { fields.append(name: field.name, value: field.value) }
    }

    /// Changes the fields of a request; with Host also the authority that it is for.
    package func apply(to head: inout RequestHead) {
        apply(to: &head.fields)
        if let host = setFields.last(where: { $0.name.lowercased() == "host" }) { head.setHost(host.value.utf8) }
    }

    /// Fields that are of one connection or frame a message: what changes them would break it, or be changed itself.
    package static let untouchable: Set<String> = [
        "connection", "content-length", "expect", "keep-alive", "proxy-connection", "te", "trailer",
        "transfer-encoding",
        "upgrade",
    ]
}
