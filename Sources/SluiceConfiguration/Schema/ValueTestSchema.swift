import Sluice

extension Format where Value == ValueTest {
    /// What a field or a value of the query must be: a text alone, or one of the tests.
    static var valueTest: Format {
        .object(
            "a test", start: ValueTest(),
            keys: [
                Key("equal", optional: \.equal, .text, "All of the value; of several values one."),
                Key("prefix", optional: \.prefix, .text, "What the value begins with; of several values one."),
                Key("present", optional: \.present, .boolean, "Whether there is one at all."),
            ], short: "equal")
    }
}
