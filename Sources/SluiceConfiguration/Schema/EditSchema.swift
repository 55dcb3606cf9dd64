import Sluice

extension Format where Value == PathRewrite {
    static var rewrite: Format {
        .object(
            "routes[].rewrite", start: PathRewrite(),
            keys: [
                Key(
                    "strip_prefix", optional: \.stripPrefix, .text("a path such as /api"),
                    "What is taken off the path's beginning, where it stands there as whole segments. Stripping all "
                        + "leaves `/`."),
                Key(
                    "add_prefix", optional: \.addPrefix, .text("a path such as /v1"),
                    "What is put before the path then. Escapes and the query stay."),
            ])
    }
}

extension Format where Value == HeaderEdits {
    /// Changes to the header of a `request` or a `response`.
    static func edits(_ what: String) -> Format {
        .object(
            "routes[].\(what)_headers", start: HeaderEdits(),
            keys: [
                Key(
                    "remove", \.remove, .list(of: .text, "fields", broken: "", allowsOne: true),
                    "The names of fields that go; they go first."
                ).written { !$0.remove.isEmpty },
                Key(
                    "set", \.set, .fields,
                    "Fields that stand in the place of all with their names; a list gives one of them several times."
                ).written { !$0.set.isEmpty },
                Key("add", \.add, .fields, "Fields that come beside those that are there.")
                    .written { !$0.add.isEmpty },
            ])
    }
}
