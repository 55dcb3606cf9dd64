import SluiceHTTP
import Testing

@Suite struct Fields {
    @Test(arguments: FieldID.allCases)
    func `every id is found by its name in any case`(_ id: FieldID) {
        let name = id.name.description
        guard id != .other else {
            #expect(FieldID.lookup("") == .other)
            return
        }
        #expect(!name.isEmpty)
        #expect(FieldID.lookup(name) == id)
        #expect(FieldID.lookup(name.uppercased()) == id)
        #expect(FieldID.lookup(name.lowercased()) == id)
        #expect(FieldID.lookup(name + "x") == .other)
        #expect(FieldID.lookup(String(name.dropLast())) != id)
        #expect(FieldID.lookup("_" + name.dropFirst()) == .other)
    }

    @Test func `a byte that differs from a letter in one bit is another name`() {
        #expect(FieldID.lookup("\u{0D}ost") == .other)
        #expect(FieldID.lookup("content\u{0D}length") == .other)
        #expect(FieldID.lookup("Content_Length") == .other)
    }

    @Test func `fields are found, counted and taken away by id`() {
        var block = FieldBlock()
        block.append(.vary, "a, B")
        block.append(name: "VARY", value: " c ")
        block.append(name: "X-Own", value: "é")
        #expect(block.count == 3)
        #expect(block.all(.vary).map(text) == ["a, B", "c"])
        #expect(block.string(.vary) == "a, B")
        #expect(block.first(named: "x-own").map { String(decoding: $0, as: UTF8.self) } == "é")
        #expect(block.hasToken(.vary, "b"))
        #expect(block.hasToken(.vary, "C"))
        #expect(!block.hasToken(.vary, "d"))
        block.set(.vary, "z")
        #expect(block.all(.vary).map(text) == ["z"])
        block.remove(.vary)
        #expect(!block.has(.vary))
        block.removeAll { _, name, _ in text(name) == "X-Own" }
        #expect(block.isEmpty)
    }

    @Test func `fields are taken away by a set of ids, and those without an id by their names`() {
        var block = FieldBlock()
        for id in [FieldID.accept, .via, .xRequestID] { block.append(id, "x") }
        block.append(name: "Own", value: "x")
        block.append(name: "Other", value: "x")
        block.removeAll([.accept, .xRequestID]) { text($0) == "Own" }
        #expect(list(block) == " [Via: x; Other: x]")
        block.removeAll([.other])
        #expect(list(block) == " [Via: x; Other: x]")
    }

    @Test(arguments: FieldID.allCases)
    func `a set of fields has what was put into it alone`(_ id: FieldID) {
        let set: FieldSet = [id]
        #expect(FieldID.allCases.filter { set.contains($0) } == [id])
    }

    @Test func `text that is not UTF-8 is repaired`() {
        var block = FieldBlock()
        block.append(.lastEventID, [0x61, 0xFF])
        #expect(block.string(.lastEventID) == "a\u{FFFD}")
    }

    @Test func `a parsed head stays whole when its fields are changed`() {
        _ = runRequests(bytes(head("GET /a?b HTTP/1.1", "Host: a", "Cookie: c"))) { head in
            var head = head
            head.fields.remove(.cookie)
            head.fields.append(.via, "1.1 sluice")
            #expect(list(head.fields) == " [Host: a; Via: 1.1 sluice]")
            head.fields = FieldBlock()
            #expect(text(head.target) == "/a?b")
            #expect(head.host.map(text) == "a")
            let isTaken = head.setTarget("/c/d?".utf8)
            #expect(isTaken)
            #expect(text(head.target) + text(head.path) + text(head.query ?? [0]) == "/c/d?/c/d")
            for wrong in ["c", "", "/\r\n", "/a#b", "/a b", "/\u{E9}"] {
                let isTaken = head.setTarget(bytes(wrong))
                #expect(!isTaken, "\(wrong)")
            }
            let isHost = head.setHost("a/b".utf8)
            #expect(!isHost)
            #expect(text(head.target) == "/c/d?")
            return ""
        }
    }
}
