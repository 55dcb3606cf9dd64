internal import SluiceIO

/// The body of an answer that is made of a file's parts, and how much of it was sent. It holds no byte of the file.
struct FileBody: Sendable {
    enum Part: Sendable, Equatable {
        case text([UInt8])
        /// Places in the file.
        case file(Range<UInt64>)

        var count: UInt64 {
            switch self {
            case .text(let bytes): UInt64(bytes.count)
            case .file(let range): range.upperBound &- range.lowerBound
            }
        }
    }

    /// Why there is no more of it.
    enum Fault: Error, Sendable, Equatable, CustomStringConvertible {
        /// The file is shorter than it was.
        case shrunk
        case system(Errno)

        var description: String {
            switch self {
            case .shrunk: "the file is shorter than it was"
            case .system(let errno): "\(errno)"
            }
        }
    }

    let parts: [Part]
    /// Bytes that are left to send.
    private(set) var left: UInt64
    private var index = 0
    /// Bytes of the part at `index` that were sent.
    private var offset: UInt64 = 0

    init(_ parts: [Part]) {
        self.parts = parts.filter { $0.count > 0 }
        left = parts.reduce(0) { $0 &+ $1.count }
    }

    /// Copies what comes next into a buffer; nothing is taken off.
    /// - Parameter read: reads bytes of the file from a place.
    /// - Returns: how many bytes; fewer than there is room for only at the end, and before a fault.
    func fill(
        _ buffer: UnsafeMutableRawBufferPointer, read: (UInt64, UnsafeMutableRawBufferPointer) -> IOResult
    ) throws(Fault) -> Int {
        var (index, offset, filled) = (self.index, self.offset, 0)
        while filled < buffer.count, index < parts.count {
            let left = parts[index].count &- offset
            let room = unsafe UnsafeMutableRawBufferPointer(
                rebasing: buffer[filled...].prefix(Int(clamping: left)))
            let count: Int
            switch parts[index] {
            case .text(let bytes):
                count = room.count
                unsafe room.copyBytes(from: bytes.dropFirst(Int(clamping: offset)).prefix(count))
            case .file(let range):
                switch unsafe read(range.lowerBound &+ offset, room) {
                case .bytes(let read): count = read
                case .end, .wouldBlock:
                    if filled > 0 { return filled }
                    throw .shrunk
                case .failed(let errno):
                    if filled > 0 { return filled }
                    throw .system(errno)
                }
            }
            filled += count
            offset &+= UInt64(clamping: count)
            if offset >= parts[index].count { (index, offset) = (index + 1, 0) }
        }
        return filled
    }

    /// Takes off what was sent.
    mutating func advance(_ count: Int) {
        var count = min(UInt64(clamping: count), left)
        left &-= count
        while count > 0, index < parts.count {
            let step = min(count, parts[index].count &- offset)
            count &-= step
            offset &+= step
            if offset >= parts[index].count { (index, offset) = (index + 1, 0) }
        }
    }
}

extension FileBody {
    /// Several parts of a file (RFC 9110, section 14.6).
    static func multipart(_ ranges: [Range<UInt64>], size: UInt64, type: String, boundary: String) -> FileBody {
        var parts: [Part] = []
        for (index, range) in ranges.enumerated() {
            let head =
                "\(index == 0 ? "" : "\r\n")--\(boundary)\r\nContent-Type: \(type)\r\n"
                + "Content-Range: \(contentRange(range, size: size))\r\n\r\n"
            parts += [.text(Array(head.utf8)), .file(range)]
        }
        return FileBody(parts + [.text(Array("\r\n--\(boundary)--\r\n".utf8))])
    }

    /// The value of Content-Range for a part that is not empty.
    static func contentRange(_ range: Range<UInt64>, size: UInt64) -> String {
        "bytes \(range.lowerBound)-\(range.upperBound &- 1)/\(size)"
    }
}
