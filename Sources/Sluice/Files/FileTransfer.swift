internal import SluiceIO

/// A file on its way to a client. The file is closed when this goes.
final class FileTransfer {
    private let file: OpenFile
    private var seat: FileSeat
    private(set) var body: FileBody
    /// Bytes that are read for the next write: many where the client is fast, few where most would be read in vain.
    private(set) var pieceSize = 64 * 1024
    /// It waits for its turn.
    var isQueued = false

    static let leastPiece = 16 * 1024
    static let mostPiece = 256 * 1024

    init(_ file: consuming OpenFile, _ body: FileBody, _ seat: consuming FileSeat) {
        self.file = file
        self.seat = seat
        self.body = body
    }

    var isOver: Bool { body.left == 0 }

    /// Whether the client may keep the file open for as long as it takes bytes now and then.
    func keepsOpen(for client: @autoclosure () -> LimitKey) -> Bool { seat.keep(for: client()) }

    /// Reads what comes next.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(FileBody.Fault) -> Int {
        try unsafe body.fill(buffer) { place, room in unsafe file.read(at: place, into: room) }
    }

    /// Takes down that so many of the bytes that were read went out.
    func sent(_ count: Int, of read: Int) {
        body.advance(count)
        pieceSize = min(max(count == read ? pieceSize &* 2 : count, Self.leastPiece), Self.mostPiece)
    }
}
