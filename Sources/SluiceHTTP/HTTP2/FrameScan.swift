/// Type, length and flags of a frame (RFC 9113, 4.1).
struct FrameHead: Sendable, Equatable {
    enum Kind: UInt8 {
        case data, headers, priority, resetStream, settings, pushPromise, ping, goAway, windowUpdate, continuation
        case unknown = 255
    }

    var type: Kind
    var length = 0
    var flags: UInt8 = 0

    var isACK: Bool { flags & 1 != 0 }
    var endsStream: Bool { flags & 1 != 0 }
    var endsHeaders: Bool { flags & 4 != 0 }
}

/// Walks over the frames of a connection's input without looking into them, so that each is paid for before any work
/// is done for it. nghttp2 tells nothing of the frames that it passes over.
struct FrameScan: Sendable {
    /// CONTINUATION frames that may follow one HEADERS frame.
    static let mostContinuations = 8

    /// Bytes that are no frame's head: of the preface first, of a payload later.
    private var passing = HTTP2Session.preface.count
    private var head: UInt64 = 0
    private var headCount = 0
    private var continuations = 0

    /// Takes input and charges its frames. Less than all of it was taken when the budget is spent: the rest begins with
    /// or inside the head of the frame that was too much.
    mutating func scan(_ input: UnsafeRawBufferPointer, _ budget: inout FloodBudget) -> Int {
        var index = 0
        while index < input.count {
            if passing > 0 {
                let count = min(passing, input.count &- index)
                passing &-= count
                index &+= count
                continue
            }
            // The stream's id, the last four bytes, does not matter here.
            if headCount < 5 { head = unsafe head << 8 | UInt64(input[index]) }
            headCount &+= 1
            if headCount == 9 {
                guard charge(&budget) else { return index }
            }
            index &+= 1
        }
        return index
    }

    private mutating func charge(_ budget: inout FloodBudget) -> Bool {
        let type = FrameHead.Kind(rawValue: UInt8(truncatingIfNeeded: head >> 8)) ?? .unknown
        let length = Int(truncatingIfNeeded: head >> 16)
        let frame = FrameHead(type: type, length: length, flags: UInt8(truncatingIfNeeded: head))
        budget.charge(frame)
        continuations = type == .continuation ? continuations &+ 1 : 0
        passing = length
        head = 0
        headCount = 0
        return !budget.isSpent && continuations <= FrameScan.mostContinuations
    }
}
