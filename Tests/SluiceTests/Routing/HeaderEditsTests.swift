import Sluice
import SluiceHTTP
import Testing

@Suite struct `Header edits` {
    private func lines(_ fields: FieldBlock) -> [String] {
        var lines: [String] = []
        fields.forEach { _, name, value in
            lines.append("\(String(decoding: name, as: UTF8.self)): \(String(decoding: value, as: UTF8.self))")
        }
        return lines
    }

    private var fields: FieldBlock {
        var fields = FieldBlock()
        for (name, value) in [("Server", "a"), ("X-A", "1"), ("x-b", "2"), ("X-a", "3")] {
            fields.append(name: name, value: value)
        }
        return fields
    }

    @Test func `fields go, are set and are added, in this order`() {
        var fields = fields
        HeaderEdits(set: [("x-a", "4"), ("X-A", "5")], add: [("X-B", "6"), ("X-C", "7")], remove: ["SERVER", "none"])
            .apply(to: &fields)
        #expect(lines(fields) == ["x-b: 2", "x-a: 4", "X-A: 5", "X-B: 6", "X-C: 7"])
    }

    @Test func `what goes may be added`() {
        var fields = fields
        HeaderEdits(add: [("X-A", "4")], remove: ["x-A", "X-B"]).apply(to: &fields)
        #expect(lines(fields) == ["Server: a", "X-A: 4"])
    }

    @Test func `no edits change nothing`() {
        var fields = fields
        HeaderEdits().apply(to: &fields)
        #expect(lines(fields) == ["Server: a", "X-A: 1", "x-b: 2", "X-a: 3"])
    }

    @Test func `a request's host is its authority too`() {
        var head = RequestHead.make(host: "a.example")
        HeaderEdits(set: [("host", "b.example:81"), ("X-A", "1")]).apply(to: &head)
        #expect(head.host.map { String(decoding: $0, as: UTF8.self) } == "b.example:81")
        #expect(lines(head.fields) == ["host: b.example:81", "X-A: 1"])
    }
}
