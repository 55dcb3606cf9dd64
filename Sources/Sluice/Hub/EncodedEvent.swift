internal import SluiceHTTP
internal import SluiceSSE

/// One event as the bytes that every subscriber of its topic gets, made once:
/// an HTTP/1.1 chunk head, the event block, and the end of the chunk.
///
/// It is written to only before it is shared: `assign` runs under the hub's lock, before the event is appended to a
/// log. After that nothing in it changes, which is why it may cross threads.
struct EncodedEvent: @unchecked Sendable {
    /// One allocation: the header, and the bytes behind it.
    private let buffer: ManagedBuffer<Header, UInt8>

    struct Header {
        /// The event's place in the one order of the hub.
        var sequence: UInt64 = 0
        /// Bytes of its topic published up to its end.
        var endOffset: UInt64 = 0
        /// The hub's time when it was appended.
        var milliseconds: UInt64 = 0
        /// All bytes.
        var count: Int
        /// Where the event block begins and ends in them.
        var payloadStart: Int
        var payloadEnd: Int
        /// Where the last of the digits of a gateway id ends; 0 without one.
        var digitsEnd: Int
        /// The event's own id, kept for `ids: upstream`; empty without one.
        var ownID: [UInt8]
    }

    static let digits = 12
    /// Bytes of an own id: it comes back in a field of a request, which servers bound.
    static let longestID = 4096

    /// Encodes an event.
    /// - Parameters:
    ///   - id: an own id to send.
    ///   - epoch: the hub's epoch, where the gateway's id is sent.
    static func make(
        data: UnsafeRawBufferPointer, type: UnsafeRawBufferPointer?, id: UnsafeRawBufferPointer?, epoch: [UInt8]?
    ) -> EncodedEvent {
        var block: [UInt8] = []
        unsafe block.reserveCapacity(data.count + (type?.count ?? 0) + 64)
        unsafe EventEncoder.appendFields(data: data, event: type, to: &block)
        var digitsEnd = 0
        if let epoch {
            block.append(contentsOf: [0x69, 0x64, 0x3A, 0x20])  // "id: "
            block.append(contentsOf: epoch)
            block.append(0x2D)
            block.append(contentsOf: repeatElement(0x30, count: digits))
            digitsEnd = block.count
            block.append(0x0A)
        } else if let id = unsafe id, id.count > 0 {
            block.append(contentsOf: [0x69, 0x64, 0x3A, 0x20])
            unsafe block.append(contentsOf: id)
            block.append(0x0A)
        }
        block.append(0x0A)
        return unsafe wrap(block, digitsEnd: digitsEnd, ownID: id.map { unsafe [UInt8]($0) } ?? [])
    }

    private static func wrap(_ block: [UInt8], digitsEnd: Int, ownID: [UInt8]) -> EncodedEvent {
        var chunk: [UInt8] = []
        chunk.reserveCapacity(block.count + 16)
        unsafe block.withUnsafeBytes { unsafe HTTP1Serializer.appendChunk($0, to: &chunk) }
        let start = chunk.count - 2 - block.count
        let header = Header(
            count: chunk.count, payloadStart: start, payloadEnd: chunk.count - 2,
            digitsEnd: digitsEnd == 0 ? 0 : start + digitsEnd, ownID: ownID)
        let buffer = ManagedBuffer<Header, UInt8>.create(minimumCapacity: chunk.count) { _ in header }
        unsafe buffer.withUnsafeMutablePointerToElements { elements in
            unsafe chunk.withUnsafeBufferPointer { source in
                guard let base = source.baseAddress else { return }
                unsafe elements.initialize(from: base, count: source.count)
            }
        }
        return EncodedEvent(buffer: buffer)
    }

    /// Gives the event its place. Only before it is shared.
    func assign(sequence: UInt64, endOffset: UInt64, milliseconds: UInt64) {
        unsafe buffer.withUnsafeMutablePointers { header, bytes in
            unsafe header.pointee.sequence = sequence
            unsafe header.pointee.endOffset = endOffset
            unsafe header.pointee.milliseconds = milliseconds
            let end = unsafe header.pointee.digitsEnd
            guard end > 0 else { return }
            var rest = sequence
            for place in 1...EncodedEvent.digits {
                let digit = UInt8(truncatingIfNeeded: rest & 15)
                unsafe bytes[end - place] = digit < 10 ? 0x30 + digit : 0x57 + digit
                rest >>= 4
            }
        }
    }

    var header: Header { buffer.header }
    var sequence: UInt64 { buffer.header.sequence }

    /// The bytes in the form that a stream's framing wants.
    func count(_ framing: Framing) -> Int {
        framing == .chunked ? buffer.header.count : buffer.header.payloadEnd - buffer.header.payloadStart
    }

    func withBytes<Result>(_ framing: Framing, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        unsafe buffer.withUnsafeMutablePointers { header, bytes in
            let start = unsafe framing == .chunked ? 0 : header.pointee.payloadStart
            let end = unsafe framing == .chunked ? header.pointee.count : header.pointee.payloadEnd
            return unsafe body(UnsafeRawBufferPointer(start: bytes + start, count: end - start))
        }
    }
}
