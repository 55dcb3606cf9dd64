internal import CNghttp2

extension HTTP2Session {
    /// Sends an interim response (100, 103); 101 means nothing here (RFC 9113, 8.6).
    package func inform(_ id: Int32, status: UInt16, fields: FieldBlock) {
        guard (100..<200).contains(status), status != 101 else { return }
        guard let stream = unsafe stream(id), unsafe !stream.pointee.hasResponded, !isStopped else { return }
        var block = HeaderWriter(status: status)
        block.append(fields)
        unsafe block.withFields { unsafe _ = nghttp2_submit_headers(session, 0, id, nil, $0, $1, nil) }
        settle()
    }

    /// Begins the response; without a body it is then complete. Names are written in small letters, and what is about
    /// one connection of HTTP/1.1 is left out. Content-Length comes from `head.body`; for HEAD and 304, which have no
    /// body of their own, from the fields.
    package func respond(_ id: Int32, _ head: ResponseHead, hasBody: Bool) {
        guard let stream = unsafe stream(id), unsafe !stream.pointee.hasResponded, !isStopped else { return }
        unsafe stream.pointee.hasResponded = true
        unsafe stream.pointee.hasBody = hasBody
        var block = HeaderWriter(status: max(head.status, 200))
        block.append(head.fields)
        let isPreview = unsafe !hasBody && (stream.pointee.isHEAD || head.status == 304)
        block.append(lengthOf: head, isPreview: isPreview)
        unsafe block.withFields { fields, count in
            var body = unsafe nghttp2_data_provider(
                source: nghttp2_data_source(ptr: stream), read_callback: readHTTP2Data)
            if !hasBody { unsafe body.read_callback = nil }
            unsafe _ = nghttp2_submit_response(session, id, fields, count, &body)
        }
        settle()
    }

    /// Frames bytes of the body, as far as the client's windows and the output's room allow. With the last of them the
    /// response may be ended: an end of its own would have to wait for a window that need never open again.
    ///
    /// - Returns: how many were taken. When fewer than there are: if `isOutputFull`, flush and try again; else
    ///   `.writable` is said when the windows open. Nothing is kept of the rest.
    package func write(_ id: Int32, _ bytes: UnsafeRawBufferPointer, isLast: Bool = false) -> Int {
        guard let start = bytes.baseAddress, bytes.count > 0, !isStopped,
            unsafe !state.pointee.output.isFull
        else { return 0 }
        unsafe state.pointee.writer = id
        unsafe state.pointee.source = start
        unsafe state.pointee.left = bytes.count
        unsafe state.pointee.endsWithLast = isLast
        unsafe nghttp2_session_resume_data(session, id)
        pump()
        let left = unsafe state.pointee.left
        unsafe state.pointee.writer = 0
        unsafe state.pointee.source = nil
        unsafe state.pointee.left = 0
        if left > 0, unsafe !state.pointee.output.isFull { noteShort(id, hasTaken: left < bytes.count) }
        if unsafe state.pointee.hasChores { settle() }
        return bytes.count &- left
    }

    /// Bytes of the stream's body that the client's windows take now.
    package func room(_ id: Int32) -> Int {
        let windows = unsafe (
            nghttp2_session_get_stream_remote_window_size(session, id), nghttp2_session_get_remote_window_size(session)
        )
        return Int(max(0, min(windows.0, windows.1)))
    }

    private func noteShort(_ id: Int32, hasTaken: Bool) {
        guard let stream = unsafe stream(id), unsafe stream.pointee.hasBody && !stream.pointee.isEnding else { return }
        unsafe stream.pointee.isShort = true
        if hasTaken { unsafe state.pointee.lastCut = id }
    }

    /// Ends the response behind what was written. nghttp2 sends the end only into an open window, as if it were data.
    /// - Parameter trailers: fields that stand behind the body (RFC 9113, 8.1).
    package func end(_ id: Int32, trailers: FieldBlock? = nil) {
        guard let stream = unsafe stream(id), unsafe stream.pointee.hasBody && !stream.pointee.isEnding else { return }
        unsafe stream.pointee.isEnding = true
        if let trailers { unsafe stream.pointee.trailers = TrailerRules.passed(trailers) }
        unsafe nghttp2_session_resume_data(session, id)
        settle()
    }

    /// Resets the stream (RST_STREAM): it is over for both sides.
    package func reset(_ id: Int32, error: UInt32) {
        guard let stream = unsafe stream(id) else { return }
        unsafe stream.pointee.isResetByCaller = true
        unsafe nghttp2_submit_rst_stream(session, 0, id, error)
        settle()
    }

    /// Gives window back for bytes of a body that were used. Those of a stream that is over need not be told.
    package func consumed(_ id: Int32, _ count: Int) {
        guard let stream = unsafe stream(id) else { return }
        let count = unsafe min(max(count, 0), stream.pointee.unconsumed)
        guard count > 0 else { return }
        unsafe stream.pointee.unconsumed &-= count
        if unsafe stream.pointee.requestHasEnded {
            unsafe nghttp2_session_consume_connection(session, count)
        } else {
            unsafe nghttp2_session_consume(session, id, count)
        }
        settle()
    }

    /// Tells the client to open no more streams (GOAWAY with the highest id): those on their way are still served.
    package func beginDrain() {
        unsafe nghttp2_submit_shutdown_notice(session)
        settle()
    }

    /// Takes no more streams (GOAWAY with the last one that was taken). Without an error the open ones go on, and the
    /// session is over when the last of them is. With one it is over at once.
    package func goAway(error: UInt32) {
        guard !isStopped else { return }
        guard error == HTTP2ErrorCode.none else {
            stop(error)
            return
        }
        unsafe nghttp2_submit_goaway(session, 0, nghttp2_session_get_last_proc_stream_id(session), error, nil, 0)
        settle()
    }

    /// Asks whether the client is still there. `awaitsPing` says whether it has answered; one question at a time.
    package func ping() {
        guard !awaitsPing, !isStopped else { return }
        unsafe state.pointee.awaitsPing = true
        unsafe nghttp2_submit_ping(session, 0, nil)
        settle()
    }
}
