import Foundation

/// The tables in Tests/Conformance, which say how they are written.
public enum Conformance {
    /// A stream and what a reader must get from it, whatever pieces it comes in.
    public struct Stream: Sendable, CustomStringConvertible {
        /// What the case is about.
        public let description: String
        /// What the server sends.
        public internal(set) var bytes: [UInt8] = []
        /// What is dispatched.
        public internal(set) var events: [Event] = []
        /// Reconnection times in milliseconds.
        public internal(set) var retries: [UInt64] = []
        /// What is sent as Last-Event-ID afterwards, where the case says so.
        public internal(set) var last: String?
    }

    /// An event as text.
    public struct Event: Sendable, Hashable, ExpressibleByStringLiteral {
        /// `message` where none was sent.
        public var type: String
        /// Its lines, separated by LF.
        public var data: String
        /// Empty when there is none.
        public var id: String

        /// An event.
        public init(_ data: String, type: String = "message", id: String = "") {
            self.data = data
            self.type = type
            self.id = id
        }

        /// An event of data alone.
        public init(stringLiteral data: String) { self.init(data) }
    }

    /// An answer to the request for a stream.
    public struct Answer: Sendable, CustomStringConvertible {
        /// What the case is about.
        public let description: String
        /// What the server sends.
        public internal(set) var bytes: [UInt8] = []
        /// `stream`, or why there is none.
        public internal(set) var then = ""
    }

    /// A line that means nothing.
    public struct BadLine: Error, CustomStringConvertible {
        /// The line.
        public let description: String
    }

    /// The streams.
    public static func streams() throws -> [Stream] {
        var streams: [Stream] = []
        for (word, rest) in try lines(of: "events.txt") {
            if word == "case" {
                streams.append(Stream(description: rest))
                continue
            }
            guard var stream = streams.popLast() else { throw BadLine(description: word) }
            switch word {
            case "in": stream.bytes += try unescape(rest)
            case "event": stream.events.append(try event(rest[...]))
            case "retry": stream.retries.append(try UInt64(rest).orBad(rest))
            case "last": stream.last = try text(rest)
            default: throw BadLine(description: "\(word) \(rest)")
            }
            streams.append(stream)
        }
        return streams
    }

    /// The answers.
    public static func answers() throws -> [Answer] {
        var answers: [Answer] = []
        for (word, rest) in try lines(of: "answers.txt") {
            if word == "case" {
                answers.append(Answer(description: rest))
                continue
            }
            guard var answer = answers.popLast() else { throw BadLine(description: word) }
            switch word {
            case "answer": answer.bytes += try unescape(rest)
            case "then": answer.then = rest
            default: throw BadLine(description: "\(word) \(rest)")
            }
            answers.append(answer)
        }
        return answers
    }

    /// First words and what follows them.
    private static func lines(of name: String) throws -> [(word: String, rest: String)] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let table = try String(contentsOf: folder.appending(path: "Conformance/\(name)"), encoding: .utf8)
        return table.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let word = line.prefix { $0 != " " }
            return (String(word), String(line.dropFirst(word.count + 1)))
        }
    }

    private static func event(_ line: Substring) throws -> Event {
        var event = Event("")
        var rest = line
        for (name, field) in [("type=", \Event.type), ("id=", \Event.id)] where rest.hasPrefix(name) {
            let value = rest.dropFirst(name.count).prefix { $0 != " " }
            event[keyPath: field] = try text(String(value))
            rest = rest.dropFirst(name.count + value.count + 1)
        }
        guard rest.hasPrefix("data=") else { throw BadLine(description: String(line)) }
        event.data = try text(String(rest.dropFirst(5)))
        return event
    }

    private static func text(_ escaped: String) throws -> String {
        try String(validating: unescape(escaped), as: UTF8.self).orBad(escaped)
    }

    private static func unescape(_ text: String) throws -> [UInt8] {
        let simple: [Character: UInt8] = ["n": 0x0A, "r": 0x0D, "t": 0x09, "0": 0, "\\": 0x5C]
        var bytes: [UInt8] = []
        var rest = Substring(text)
        while let character = rest.popFirst() {
            guard character == "\\" else {
                bytes += Array(String(character).utf8)
                continue
            }
            let kind = try rest.popFirst().orBad(text)
            if let byte = simple[kind] {
                bytes.append(byte)
            } else if kind == "x" {
                bytes.append(try UInt8(rest.prefix(2), radix: 16).orBad(text))
                rest = rest.dropFirst(2)
            } else if kind == "{" {
                let inner = rest.prefix { $0 != "}" }
                let parts = inner.split(separator: "*")
                guard parts.count == 2, let count = Int(parts[0]) else { throw BadLine(description: text) }
                bytes += Array(String(repeating: String(parts[1]), count: count).utf8)
                rest = rest.dropFirst(inner.count + 1)
            } else {
                throw BadLine(description: text)
            }
        }
        return bytes
    }
}

extension Optional {
    fileprivate func orBad(_ line: String) throws -> Wrapped {
        guard let self else { throw Conformance.BadLine(description: line) }
        return self
    }
}

extension Conformance.Stream {
    /// The stream in pieces of so many bytes; 0: in one.
    public func pieces(of size: Int) -> [ArraySlice<UInt8>] {
        guard size > 0 else { return [bytes[...]] }
        return stride(from: 0, to: bytes.count, by: size).map { bytes[$0..<min(bytes.count, $0 + size)] }
    }
}
