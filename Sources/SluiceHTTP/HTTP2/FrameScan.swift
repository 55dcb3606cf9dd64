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
/// is done for it; nghttp2 tells nothing of the frames that it passes over. nghttp2 then gets one frame at a time, and
/// its answer is made before the next: what becomes of a frame cannot depend on how the input was cut.
struct FrameScan: Sendable {
    enum Step: Equatable {
        /// So much of the input belongs to one frame, or to the preface.
        case take(Int)
        /// The frame that begins there is not taken; the error says why.
        case stop(UInt32)
    }

    /// CONTINUATION frames that may follow one HEADERS frame.
    static let mostContinuations = 8
    /// Bytes of the longest payload: SETTINGS_MAX_FRAME_SIZE, which we leave as it is. Nothing of a longer one is waited
    /// for.
    static let longestPayload = 16384

    /// Bytes that are left of the preface or of a payload.
    private var passing = HTTP2Session.preface.count
    private var head: UInt64 = 0
    private var headCount = 0
    private var continuations = 0
    /// CONTINUATION must follow.
    private var isInBlock = false
    private var isInData = false

    /// Whether the last frame that was begun is complete.
    var isBetweenFrames: Bool { passing == 0 && headCount == 0 }
    /// Whether the last header block that was begun is complete as well.
    var isIdle: Bool { isBetweenFrames && !isInBlock }
    /// Whether something other than a body was begun and waits for its rest.
    var isHeadUnfinished: Bool { !isIdle && !(passing > 0 && isInData) }

    /// Looks at the frame that the input begins in. It is charged once its head is there.
    mutating func next(_ input: UnsafeRawBufferPointer, _ budget: inout FloodBudget) -> Step {
        var index = 0
        if passing == 0 {
            while headCount < 9 {
                guard index < input.count else { return .take(index) }
                // The stream's number, the last four bytes, does not matter here.
                if headCount < 5 { head = unsafe head << 8 | UInt64(input[index]) }
                headCount &+= 1
                index &+= 1
            }
            if let error = begin(&budget) { return .stop(error) }
        }
        let count = min(passing, input.count &- index)
        passing &-= count
        return .take(index &+ count)
    }

    private mutating func begin(_ budget: inout FloodBudget) -> UInt32? {
        let type = FrameHead.Kind(rawValue: UInt8(truncatingIfNeeded: head >> 8)) ?? .unknown
        let length = Int(truncatingIfNeeded: head >> 16)
        let frame = FrameHead(type: type, length: length, flags: UInt8(truncatingIfNeeded: head))
        budget.charge(frame)
        isInBlock = (type == .headers || type == .continuation) && !frame.endsHeaders
        isInData = type == .data
        continuations = type == .continuation ? continuations &+ 1 : 0
        passing = length
        head = 0
        headCount = 0
        guard length <= FrameScan.longestPayload else { return HTTP2ErrorCode.frameSizeError }
        return budget.isSpent || continuations > FrameScan.mostContinuations ? HTTP2ErrorCode.enhanceYourCalm : nil
    }
}
