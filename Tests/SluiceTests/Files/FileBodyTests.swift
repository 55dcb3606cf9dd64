import SluiceIO
import Testing

@testable import Sluice

@Suite struct `The body of a file's answer` {
    /// A file whose bytes are their places, read `most` bytes at a time.
    private func take(_ body: FileBody, _ size: Int, fileSize: UInt64 = 100, most: Int = .max) throws(FileBody.Fault)
        -> [UInt8]
    {
        var buffer = [UInt8](repeating: 0xEE, count: size)
        var fault: FileBody.Fault?
        let count = unsafe buffer.withUnsafeMutableBytes { room in
            do throws(FileBody.Fault) {
                return try unsafe body.fill(room) { place, room in
                    guard place < fileSize else { return .end }
                    let count = min(room.count, most, Int(fileSize - place))
                    for index in 0..<count { unsafe room[index] = UInt8(truncatingIfNeeded: Int(place) + index) }
                    return .bytes(count)
                }
            } catch {
                fault = error
                return 0
            }
        }
        if let fault { throw fault }
        return Array(buffer.prefix(count))
    }

    @Test(arguments: [1, 2, 3, 7, 100], [1, 3, Int.max])
    func `comes in order, whatever is taken and read at once`(_ size: Int, _ most: Int) throws {
        var body = FileBody([.text([201, 202]), .file(5..<9), .text([]), .file(3..<3), .text([203]), .file(0..<2)])
        #expect(body.left == 9)
        var all: [UInt8] = []
        while body.left > 0 {
            let piece = try take(body, size, most: most)
            try #require(!piece.isEmpty)
            // Only a part of each piece goes out.
            let sent = max(1, piece.count / 2)
            all += piece.prefix(sent)
            body.advance(sent)
        }
        #expect(all == [201, 202, 5, 6, 7, 8, 203, 0, 1])
        #expect(try take(body, size) == [])
    }

    @Test func `ends with a fault where the file does, behind what there was of it`() throws {
        var body = FileBody([.file(0..<10)])
        #expect(try take(body, 100, fileSize: 4) == [0, 1, 2, 3])
        body.advance(4)
        #expect(throws: FileBody.Fault.shrunk) { try take(body, 100, fileSize: 4) }
        #expect(body.left == 6)
    }

    @Test func `is no longer than announced where the file has grown`() throws {
        #expect(try take(FileBody([.file(0..<10)]), 100, fileSize: 50).count == 10)
    }

    @Test func `is counted in 64 bits`() {
        var body = FileBody([.file(0..<1 << 40), .text([1])])
        #expect(body.left == 1 << 40 + 1)
        body.advance(.max)
        #expect(body.left == 0)
    }
}

@Suite struct `The media type of a file` {
    @Test(arguments: [
        ("a.html", "text/html; charset=utf-8"), ("x/y.JS", "text/javascript; charset=utf-8"),
        ("a.b.css", "text/css; charset=utf-8"),
        ("a.json", "application/json; charset=utf-8"), ("a.svg", "image/svg+xml"), ("a.wasm", "application/wasm"),
    ])
    func `is known by its extension`(_ name: String, _ type: String) {
        #expect(ContentTypes().type(ofFile: name.utf8) == type)
    }

    @Test(arguments: ["a", "html", "a.", ".html", "a.html/b", "a.unknown", "", "a.html.x"])
    func `is not known`(_ name: String) { #expect(ContentTypes().type(ofFile: name.utf8) == nil) }

    @Test func `can be added and changed`() {
        let types = ContentTypes(adding: ["X": "a/x", "html": "a/h"])
        #expect(types.type(ofFile: "a.x".utf8) == "a/x")
        #expect(types.type(ofFile: "a.HTML".utf8) == "a/h")
        #expect(types.type(ofFile: "a.css".utf8) != nil)
    }
}
