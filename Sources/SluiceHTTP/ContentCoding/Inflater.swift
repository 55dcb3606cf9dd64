internal import CZlib

/// Decodes `gzip` or `deflate` content (RFC 9110, 8.4.1) as it comes, in any pieces.
///
/// What its sender flushed comes out with the bytes that carry it: no event waits for the next. Output is handed out in
/// pieces of at most 16 KiB from a buffer that exists only during a call, so that content which inflates a thousandfold
/// takes no memory. Between calls it holds zlib's window (32 KiB) and state (10 KiB).
///
/// Not Sendable: it belongs to its connection's thread.
@safe package final class Inflater {
    /// Bytes of the largest piece.
    package static let pieceSize = 16 * 1024

    private let stream: UnsafeMutablePointer<z_stream>
    /// gzip members may follow one another and count as one (RFC 1952, 2.2); zlib's format has no such rule.
    private let mayRepeat: Bool
    /// Bytes of a member came, and its end did not.
    private var isInside = false
    private var hasEnded = false
    /// The last piece filled the buffer: there may be more without any input. Only inside a member.
    private var mayHoldMore = false
    private var failure: InflateError?

    /// A decoder at the start of content; nil where nothing needs to be decoded.
    package init?(_ coding: ContentCoding) throws(InflateError) {
        let windowBits: Int32 = 15
        switch coding {
        case .identity: return nil
        case .gzip: mayRepeat = true
        case .deflate: mayRepeat = false
        }
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // zlib's way to ask for a gzip header is to add 16.
        guard unsafe sluice_zlib_inflate_init(stream, mayRepeat ? windowBits + 16 : windowBits) == Z_OK else {
            throw InflateError(.memory)
        }
    }

    deinit {
        // Nothing to end where the start failed; inflateEnd then only says so.
        unsafe inflateEnd(stream)
        unsafe stream.deinitialize(count: 1)
        unsafe stream.deallocate()
    }

    /// Nothing has come, or the content is complete. The end of input elsewhere is a truncation.
    package var isAtEnd: Bool { failure == nil && !isInside }

    /// Called when no more input will come.
    ///
    /// - Throws: what went wrong before, or that the content ended in the middle.
    package func finish() throws(InflateError) {
        if let failure { throw failure }
        if !isAtEnd { throw fail(InflateError(.truncated)) }
    }

    /// Decodes `input` and hands out what it holds. An error is final: it is thrown again by every later call.
    ///
    /// - Parameter piece: takes decoded bytes, at least one, which are valid during the call only, and must not use this
    ///   decoder. False: enough for now.
    /// - Returns: how many bytes of `input` were used. All of them, unless `piece` said that it is enough: then the rest
    ///   must be given again, and even where nothing is left a call without input brings what is still inside.
    package func decode(
        _ input: UnsafeRawBufferPointer, _ piece: (UnsafeRawBufferPointer) -> Bool
    ) throws(InflateError) -> Int {
        if let failure { throw failure }
        guard input.count > 0 || mayHoldMore else { return 0 }
        // A buffer of the call's own: an idle decoder keeps none.
        let (used, error) = unsafe withUnsafeTemporaryAllocation(byteCount: Self.pieceSize, alignment: 16) { buffer in
            unsafe decode(input, buffer, piece)
        }
        // It points to what is the caller's.
        unsafe stream.pointee.next_in = nil
        unsafe stream.pointee.avail_in = 0
        if let error { throw fail(error) }
        return used
    }

    private func fail(_ error: InflateError) -> InflateError {
        failure = error
        return error
    }

    private func decode(
        _ input: UnsafeRawBufferPointer, _ buffer: UnsafeMutableRawBufferPointer,
        _ piece: (UnsafeRawBufferPointer) -> Bool
    ) -> (used: Int, error: InflateError?) {
        var used = 0
        while used < input.count || mayHoldMore {
            if !isInside, let error = begin() { return (used, error) }
            let rest = unsafe UnsafeRawBufferPointer(rebasing: input[used...])
            let given = uInt(clamping: rest.count)
            unsafe stream.pointee.next_in = rest.bindMemory(to: UInt8.self).baseAddress
            unsafe stream.pointee.avail_in = given
            unsafe stream.pointee.next_out = buffer.bindMemory(to: UInt8.self).baseAddress
            unsafe stream.pointee.avail_out = uInt(clamping: buffer.count)
            let status = unsafe inflate(stream, Z_SYNC_FLUSH)
            used &+= unsafe Int(given &- stream.pointee.avail_in)
            let count = unsafe buffer.count &- Int(stream.pointee.avail_out)
            mayHoldMore = count == buffer.count && status == Z_OK
            if status == Z_STREAM_END {
                isInside = false
                hasEnded = true
            }
            // What was decoded before an error was whole, so it counts.
            let wantsMore = unsafe count == 0 || piece(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            if let error = error(of: status) { return (used, error) }
            // Neither input nor output moved: zlib has nothing to say until more comes.
            if !wantsMore || (status == Z_BUF_ERROR && count == 0) { break }
        }
        return (used, nil)
    }

    /// Input comes where none was: the first member, or one behind another.
    private func begin() -> InflateError? {
        if hasEnded {
            guard mayRepeat else { return InflateError(.trailing) }
            guard unsafe inflateReset(stream) == Z_OK else { return InflateError(.corrupt) }
        }
        isInside = true
        return nil
    }

    private func error(of status: Int32) -> InflateError? {
        switch status {
        case Z_OK, Z_STREAM_END, Z_BUF_ERROR: return nil
        case Z_MEM_ERROR: return InflateError(.memory)
        // Nobody has agreed on a dictionary with us.
        case Z_NEED_DICT: return InflateError(.corrupt, reason: "it needs a preset dictionary")
        default:
            let reason = unsafe stream.pointee.msg.map { unsafe String(cString: $0) }
            // Behind a whole member, what does not even have a member's fixed header (10 bytes) is none.
            let isHeader = unsafe stream.pointee.total_out == 0 && stream.pointee.total_in <= 10
            return InflateError(
                hasEnded && isHeader ? .trailing : .corrupt, reason: hasEnded && isHeader ? nil : reason)
        }
    }
}
