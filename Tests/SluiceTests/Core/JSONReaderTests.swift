import Foundation
import Testing

@testable import Sluice

@Suite struct `JSON reader` {
    /// Where a text is wrong; `nil`: nowhere.
    private func fault(_ bytes: [UInt8]) -> Int? {
        do throws(JSONError) {
            var reader = try JSONReader(bytes)
            _ = try reader.skip()
            try reader.end()
            return nil
        } catch {
            return error.offset
        }
    }

    private func string(_ text: String) throws -> String {
        var reader = try JSONReader(Array(text.utf8))
        let bytes = try reader.string()
        try reader.end()
        return try #require(String(validating: bytes, as: UTF8.self))
    }

    @Test(arguments: [
        "0", "-0", "10", "1.5", "-1.50e+10", "1E-2", "1e999999999", "true", "false", "null", "\"\"", "[]", "{}",
        " [ ] ",
        "[1,2 , 3]", "{\"a\":1,\"a\":2}", "{\"\":{\"\":[]}}", "\t\r\n \"x\"\n", "[[],{},\"\",0]", "\"\u{7F}\u{2028}\"",
        "123456789012345678901234567890",
    ])
    func `what is JSON is read to its end`(text: String) { #expect(fault(Array(text.utf8)) == nil) }

    @Test(
        arguments: [
            ("", 0), (" ", 1), ("nul", 0), ("True", 0), ("nulll", 4), ("01", 1), ("-", 1), ("1.", 2), (".5", 0),
            ("1e", 2), ("1e+", 3), ("+1", 0), ("--1", 1), ("0x1", 1), ("NaN", 0), ("[1,]", 3), ("[,1]", 1),
            ("[1 2]", 3), ("{\"a\":1,}", 7), ("{\"a\"}", 4), ("{\"a\":}", 5), ("{a:1}", 1), ("{'a':1}", 1),
            ("{\"a\":1", 6), ("[1", 2), ("[", 1), ("]", 0), ("[}", 1), ("{]", 1), ("1 2", 2), ("\"", 1), ("\"a", 2),
            ("\"a\nb\"", 2), ("\"\t\"", 1), ("\"\\x\"", 1), ("\"\\u12\"", 1), ("\"\\u12g4\"", 1), ("\"\\\"", 3),
            ("\"\\ud800\"", 1), ("\"\\udc00\"", 1), ("\"\\ud800\\u0041\"", 1), ("\"\\udc00\\ud800\"", 1),
            ("\"\\ud800", 1), ("\"\\ud800\\udc0\"", 1), ("// x\n1", 0), ("\u{FEFF}1", 0), ("\u{A0}1", 0), ("[1]\0", 3),
        ])
    func `what is no JSON fails at its byte`(_ text: String, _ offset: Int) {
        #expect(fault(Array(text.utf8)) == offset)
    }

    @Test(
        arguments: [
            ([0x22, 0xFF, 0x22], 1), ([0x22, 0x61, 0xC3, 0x22], 2), ([0x22, 0xED, 0xA0, 0x80, 0x22], 1),
            ([0x22, 0xC0, 0x80, 0x22], 1), ([0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], 1), ([0x31, 0x80], 1),
        ] as [([UInt8], Int)])
    func `what is not UTF-8 fails at its byte`(_ bytes: [UInt8], _ offset: Int) { #expect(fault(bytes) == offset) }

    @Test(
        arguments: [
            (#""a\"\\\/\b\f\n\r\t\u00e9\u0000z""#, "a\"\\/\u{8}\u{C}\n\r\té\u{0}z"),
            (#""\ud83d\ude00\uD83D\uDE00""#, "😀😀"),
            (#""\uFFFF\u0041""#, "\u{FFFF}A"), (#""é😀""#, "é😀"), (#""\\u0041""#, #"\u0041"#),
        ])
    func `strings are decoded`(_ text: String, _ value: String) throws { #expect(try string(text) == value) }

    @Test func `nesting is bounded and does not recurse`() {
        let deepest = JSONReader.deepest
        let open = Array(repeating: UInt8(ascii: "["), count: 1_000_000)
        let close = Array(repeating: UInt8(ascii: "]"), count: deepest)
        #expect(fault(Array(open.prefix(deepest)) + close) == nil)
        #expect(fault(open) == deepest)
        #expect(fault(Array(String(repeating: "{\"a\":", count: 100).utf8)) == 5 * deepest)
    }

    @Test func `a value that is skipped is given as it came`() throws {
        var reader = try JSONReader(Array(#" { "a" : [1, {"b":"}\""} ] , "c":2e1}"#.utf8))
        try reader.enter()
        #expect(try reader.nextName() == Array("a".utf8))
        #expect(try reader.kind() == .array)
        #expect(String(decoding: reader.text(try reader.skip()), as: UTF8.self) == #"[1, {"b":"}\""} ]"#)
        #expect(try reader.nextName() == Array("c".utf8))
        #expect(String(decoding: reader.text(try reader.skip()), as: UTF8.self) == "2e1")
        #expect(try reader.nextName() == nil)
        try reader.end()
    }

    @Test(
        arguments: [
            ("0", 0), ("18446744073709551615", .max), ("18446744073709551616", nil), ("99999999999999999999999", nil),
            ("-1", nil), ("1.0", nil), ("1e3", nil), ("\"1\"", nil), ("007", 0),
        ] as [(String, UInt64?)])
    func `whole numbers never overflow`(_ text: String, _ number: UInt64?) throws {
        var reader = try JSONReader(Array(text.utf8))
        #expect(try reader.wholeNumber() == number)
    }

    // MARK: Beside Foundation

    @Test func `random texts are read as Foundation reads them`() throws {
        var random = SplitMix(state: 1)
        for _ in 0..<2000 {
            let text = Array(randomValue(&random, depth: 0).utf8)
            let object = try JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)
            var reader = try JSONReader(text)
            let ours = try tree(&reader)
            try reader.end()
            #expect(try ours == tree(object), "\(String(decoding: text, as: UTF8.self))")
        }
    }

    @Test func `broken texts are refused where Foundation refuses them`() {
        var random = SplitMix(state: 2)
        var refused = 0
        for _ in 0..<20_000 {
            var text = Array(randomValue(&random, depth: 1).utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) where !text.isEmpty {
                let place = Int.random(in: 0..<text.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: text.remove(at: place)
                case 1:
                    text.insert(
                        Array("{}[],:\"\\u0truefalsn.-+eE19 \n".utf8).randomElement(using: &random) ?? 0, at: place)
                case 2: text[place] = UInt8.random(in: 1...255, using: &random)
                default: text = Array(text.prefix(place))
                }
            }
            let theirs = try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)
            if fault(text) != nil { refused += 1 }
            // Foundation takes a last comma, which RFC 8259 has not.
            let shown = String(decoding: text, as: UTF8.self)
            if theirs != nil, shown.contains(/,\s*[\]}]/) { continue }
            #expect((fault(text) == nil) == (theirs != nil), "\(shown) \(text)")
        }
        #expect((2000..<19_000).contains(refused))
    }

    /// A value in a form that can be compared; booleans are numbers, since Foundation does not tell them apart here.
    private indirect enum Tree: Equatable {
        case object([String: Tree]), array([Tree]), string(String), number(Double), null
    }

    private func tree(_ reader: inout JSONReader) throws -> Tree {
        switch try reader.kind() {
        case .object:
            var members: [String: Tree] = [:]
            try reader.enter()
            while let name = try reader.nextName() {
                members[String(decoding: name, as: UTF8.self)] = try tree(&reader)
            }
            return .object(members)
        case .array:
            var items: [Tree] = []
            try reader.enter()
            while try reader.nextElement() { items.append(try tree(&reader)) }
            return .array(items)
        case .string: return .string(String(decoding: try reader.string(), as: UTF8.self))
        case .null:
            _ = try reader.skip()
            return .null
        case .boolean: return .number(reader.text(try reader.skip()) == Array("true".utf8) ? 1 : 0)
        case .number:
            let text = String(decoding: reader.text(try reader.skip()), as: UTF8.self)
            return .number(try #require(Double(text)))
        }
    }

    private func tree(_ object: Any) throws -> Tree {
        switch object {
        case let members as [String: Any]: .object(try members.mapValues { try tree($0) })
        case let items as [Any]: .array(try items.map { try tree($0) })
        case let text as String: .string(text)
        case is NSNull: .null
        case let number as NSNumber: .number(number.doubleValue)
        default: try #require(nil)
        }
    }

    private func randomValue(_ random: inout SplitMix, depth: Int) -> String {
        let blank = ["", "", "", " ", "\n", "\t \r\n"].randomElement(using: &random) ?? ""
        let kinds = depth > 4 ? 4 : 6
        let text: String
        switch Int.random(in: 0..<kinds, using: &random) {
        case 0: text = ["true", "false", "null"].randomElement(using: &random) ?? ""
        case 1: text = ["0", "-0", "12", "-7.25", "1e3", "2.5E-2", "100"].randomElement(using: &random) ?? ""
        case 2, 3: text = randomString(&random)
        case 4:
            let items = (0..<Int.random(in: 0..<4, using: &random)).map { _ in randomValue(&random, depth: depth + 1) }
            text = "[" + items.joined(separator: ",") + blank + "]"
        default:
            let items = (0..<Int.random(in: 0..<4, using: &random)).map { number in
                "\(blank)\"\(number)\\n\"\(blank):" + randomValue(&random, depth: depth + 1)
            }
            text = "{" + items.joined(separator: ",") + "}"
        }
        return blank + text + blank
    }

    private func randomString(_ random: inout SplitMix) -> String {
        let parts = ["a", "é", "😀", "\\n", "\\\"", "\\\\", "\\/", "\\u0041", "\\ud83d\\ude00", "\u{2028}", "{", ","]
        let count = Int.random(in: 0..<6, using: &random)
        return "\"" + (0..<count).map { _ in parts.randomElement(using: &random) ?? "" }.joined() + "\""
    }
}
