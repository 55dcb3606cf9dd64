/// How much a client of HTTP/2 may ask for before it is refused.
package struct HTTP2Limits: Sendable, Equatable {
    /// Most streams that are open at once (SETTINGS_MAX_CONCURRENT_STREAMS).
    package var streams: Int
    /// Most bytes of method and `:path` together. Over it: 414.
    package var requestLine: Int
    /// Most bytes of all names and values, 32 more counted for each field (RFC 9113, 6.5.2), cookie crumbs and
    /// pseudo-headers included; the same for trailers. Over it: 431.
    package var head: Int
    /// Most fields, cookie crumbs included; the same for trailers. Over it: 431.
    package var fields: Int

    /// Limits; those left out are the defaults. They are held between 1 and 64 MiB.
    package init(streams: Int = 128, requestLine: Int = 8192, head: Int = 65536, fields: Int = 100) {
        // Offsets in a head are 32 bits wide.
        func held(_ value: Int) -> Int { min(max(value, 1), 1 << 26) }
        self.streams = held(streams)
        self.requestLine = held(requestLine)
        self.head = held(head)
        self.fields = held(fields)
    }
}
