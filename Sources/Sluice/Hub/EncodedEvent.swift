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
        /// The hub's time when it was appended.
        var milliseconds: UInt64 = 0
        /// All bytes.
        var count: Int
        /// Where the event block begins in them. It ends before the chunk's line end.
        var payloadStart: Int32
        /// The check of the text and its bytes, where the payload is compressed.
        var checksum: UInt32 = 0
        var textCount = 0
        /// Where the last of the digits of a gateway id ends; 0 without one.
        var digitsEnd: Int
        /// Where the event's own id lies, kept for `ids: upstream`; empty without one.
        var ownID: Range<Int>
        /// Equal for events of one type.
        var typeKey: Int
    }

    static let digits = 12
    /// Bytes of an own id or of a type: an id comes back in a field of a request, which servers bound.
    static let longestID = 4096

    /// Encodes an event.
    /// - Parameters:
    ///   - form: what the event's topic adds to it.
    ///   - epoch: the hub's epoch, for the gateway's ids.
    ///   - block: room for the event block. What was in it is lost.
    static func make(
        _ draft: EventDraft, _ form: EventForm, epoch: [UInt8], text block: inout [UInt8]
    ) -> EncodedEvent {
        let data = form.topicField == .data ? form.wrapped(draft.data) : draft.data
        let type = form.topicField == .event ? form.named(draft.type) : draft.type
        block.removeAll(keepingCapacity: true)
        block.reserveCapacity(data.count + type.count + draft.id.count + 64)
        unsafe data.withUnsafeBytes { data in
            unsafe type.withUnsafeBytes { type in
                unsafe EventEncoder.appendFields(data: data, event: type, to: &block)
            }
        }
        var digitsEnd = 0
        var ownID = 0..<0
        if form.ids == .gateway {
            block.append(contentsOf: "id: ".utf8)
            block.append(contentsOf: epoch)
            block.append(contentsOf: "-000000000000".utf8)
            digitsEnd = block.count
            block.append(0x0A)
        } else if form.ids == .upstream, !draft.id.isEmpty {
            block.append(contentsOf: "id: ".utf8)
            ownID = block.count..<block.count + draft.id.count
            block.append(contentsOf: draft.id)
            block.append(0x0A)
        } else if form.ids == .upstream, draft.clearsID {
            block.append(contentsOf: "id:\n".utf8)
        }
        if let retry = draft.retryMilliseconds { EventEncoder.appendRetry(milliseconds: retry, to: &block) }
        block.append(0x0A)
        return wrap(block) { start in
            Header(
                count: 0, payloadStart: 0, digitsEnd: digitsEnd == 0 ? 0 : start + digitsEnd,
                ownID: ownID.isEmpty ? 0..<0 : ownID.lowerBound + start..<ownID.upperBound + start,
                typeKey: type.isEmpty ? 0 : type.hashValue)
        }
    }

    /// The same event with its text compressed.
    /// - Parameter checksum: of the text.
    func coded(_ bytes: [UInt8], checksum: UInt32) -> EncodedEvent {
        EncodedEvent.wrap(bytes) { _ in
            Header(
                sequence: sequence, milliseconds: milliseconds, count: 0, payloadStart: 0, checksum: checksum,
                textCount: count(.untilClose), digitsEnd: 0, ownID: 0..<0, typeKey: typeKey)
        }
    }

    /// - Parameter header: makes the header, given where the payload begins; the sizes are filled in.
    private static func wrap(_ block: [UInt8], _ header: (Int) -> Header) -> EncodedEvent {
        let start = HTTP1Serializer.chunkHeadCount(size: block.count)
        var header = header(start)
        header.count = start + block.count + 2
        header.payloadStart = Int32(truncatingIfNeeded: start)
        let buffer = ManagedBuffer<Header, UInt8>.create(minimumCapacity: header.count) { [header] _ in header }
        unsafe buffer.withUnsafeMutablePointerToElements { elements in
            let chunk = unsafe UnsafeMutableRawBufferPointer(start: elements, count: header.count)
            unsafe block.withUnsafeBytes { unsafe HTTP1Serializer.writeChunk($0, to: chunk) }
        }
        return EncodedEvent(buffer: buffer)
    }

    /// Gives the event its place. Only before it is shared.
    func assign(sequence: UInt64, milliseconds: UInt64) {
        unsafe buffer.withUnsafeMutablePointers { header, bytes in
            unsafe header.pointee.sequence = sequence
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

    /// By its address: accesses to what is stored in an object are checked at run time, and here none can overlap.
    private var header: Header { unsafe buffer.withUnsafeMutablePointerToHeader { unsafe $0.pointee } }

    var sequence: UInt64 { header.sequence }
    var milliseconds: UInt64 { header.milliseconds }
    var typeKey: Int { header.typeKey }
    /// Of a compressed one: the check of its text, and the bytes of that.
    var checksum: UInt32 { header.checksum }
    var textCount: Int { header.textCount }
    /// The check of the text, of one that is not compressed.
    var textChecksum: UInt32 { unsafe withBytes(.untilClose) { unsafe CRC32.checksum($0) } }
    var hasOwnID: Bool { !header.ownID.isEmpty }

    /// The event's own id; empty without one.
    var ownID: [UInt8] {
        unsafe buffer.withUnsafeMutablePointers { header, bytes in
            let range = unsafe header.pointee.ownID
            return unsafe Array(UnsafeBufferPointer(start: bytes + range.lowerBound, count: range.count))
        }
    }

    /// The memory that an event takes in a log, beside the log's ring: its object, its bytes, its place in the index.
    var cost: Int {
        let index = hasOwnID ? 96 + header.ownID.count : 0
        return 32 + MemoryLayout<Header>.size + header.count + index
    }

    /// The bytes in the form that a stream's framing wants.
    func count(_ framing: Framing) -> Int {
        framing == .chunked ? header.count : header.count - 2 - Int(header.payloadStart)
    }

    func withBytes<Result>(_ framing: Framing, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        unsafe buffer.withUnsafeMutablePointers { header, bytes in
            let start = unsafe framing == .chunked ? 0 : Int(header.pointee.payloadStart)
            let end = unsafe framing == .chunked ? header.pointee.count : header.pointee.count - 2
            return unsafe body(UnsafeRawBufferPointer(start: bytes + start, count: end - start))
        }
    }
}

/// What a topic adds to its events. Topics of one form share an encoded event.
struct EventForm: Sendable, Equatable {
    let ids: EventIDs.Kind
    let topicField: TopicField.Kind
    /// The topic's name, where events carry it.
    let topic: [UInt8]

    init(_ options: TopicOptions, topic: String) {
        ids = options.ids.kind
        topicField = options.topicField.kind
        self.topic = topicField == .off ? [] : Array(topic.utf8)
    }

    /// `market` or `market:trade`.
    func named(_ type: [UInt8]) -> [UInt8] { type.isEmpty ? topic : topic + [0x3A] + type }

    /// `{"topic":"market","data":"..."}`
    func wrapped(_ data: [UInt8]) -> [UInt8] {
        var text = Array("{\"topic\":".utf8)
        JSONText.append(topic, to: &text)
        text.append(contentsOf: Array(",\"data\":".utf8))
        JSONText.append(data, to: &text)
        text.append(0x7D)
        return text
    }
}
