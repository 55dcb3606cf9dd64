import Testing

/// The rules of the house, held against the tree. What breaks each of them is shown in RuleTests.
struct TidyTests {
    private static let loaded = Result { try Repository.load() }
    private let repository: Repository

    init() throws { repository = try Self.loaded.get() }

    private func expectNone(_ violations: [Violation], _ location: SourceLocation = #_sourceLocation) {
        for violation in violations { Issue.record("\(violation)", sourceLocation: location) }
    }

    @Test func `the tree was found`() {
        #expect(repository.swiftSources.contains { $0.path == "Sources/Sluice/Gateway/Configuration.swift" })
    }
    @Test func `targets import only what an arrow allows`() {
        expectNone(Arrows.wrongImports(in: repository.swiftSources))
    }
    @Test func `folders of Sluice use only those before them`() {
        expectNone(Arrows.wrongFolders(in: repository.swiftSources))
    }
    @Test func `files are short`() { expectNone(Sizes.longFiles(in: repository.code)) }
    @Test func `functions are short`() { expectNone(Sizes.longFunctions(in: repository.code)) }
    @Test func `nothing in the sources stops the gateway`() { expectNone(Traps.traps(in: repository.swiftSources)) }
    @Test func `the sources are finished`() {
        expectNone(Traps.unfinished(in: repository.files.filter { $0.path.hasPrefix("Sources/") }))
    }
    @Test func `names of types say something`() { expectNone(Names.emptyNames(in: repository.code)) }
    @Test func `tests do not sleep`() {
        // TidyTests talk about it.
        let tests = repository.code.filter {
            $0.path.hasPrefix("Tests/") && !$0.path.hasPrefix("Tests/TidyTests/")
        }
        expectNone(Traps.sleeps(in: tests))
    }
    @Test func `no key is tracked`() { expectNone(Tracked.keys(in: repository.files)) }
    @Test func `every ready configuration is tested`() {
        expectNone(Tracked.untestedConfigurations(in: repository.files))
    }
}
