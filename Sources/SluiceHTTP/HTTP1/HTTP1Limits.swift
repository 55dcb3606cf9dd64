/// How much of a message is taken before it is refused.
package struct HTTP1Limits: Sendable, Equatable {
    /// Most bytes of a request line or status line, without its line end. Over it: 414.
    package var requestLine: Int
    /// Most bytes of all field lines with their line ends and the empty line; the same for trailers. Over it: 431.
    package var head: Int
    /// Most fields; the same for trailers. Over it: 431.
    package var fields: Int
    /// Most bytes of a chunk's size line with its extensions and line end. Over it: 400.
    package var chunkLine: Int
    /// How many bytes of chunk lines a body may have beyond what its data pays for. Without it a body of one-byte
    /// chunks with long extensions costs a hundred times what it carries.
    package var chunkOverhead: Int

    /// Limits; those left out are the defaults. They are held between 1 and 64 MiB.
    package init(
        requestLine: Int = 8192, head: Int = 65536, fields: Int = 100, chunkLine: Int = 4096,
        chunkOverhead: Int = 65536
    ) {
        // Offsets in a head are 32 bits wide.
        func held(_ value: Int) -> Int { min(max(value, 1), 1 << 26) }
        self.requestLine = held(requestLine)
        self.head = held(head)
        self.fields = held(fields)
        self.chunkLine = held(chunkLine)
        self.chunkOverhead = held(chunkOverhead)
    }
}
