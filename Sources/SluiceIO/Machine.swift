/// The time of day, which may be set: for showing, never for measuring.
package enum WallClock {
    /// Milliseconds since 1970, UTC.
    package static func nowMilliseconds() -> Int64 { System.unixMilliseconds() }
}

/// The processors of this machine.
package enum Processors {
    /// How many this process may run on; at least 1.
    package static var available: Int { System.processors() }
}

/// Files that are read whole: certificates, pages, secrets.
package enum FileContent {
    /// Reads a file.
    /// - Parameter limit: the most bytes that it may have; `EFBIG` beyond.
    package static func read(_ path: String, limit: Int = 64 * 1024 * 1024) throws(Errno) -> [UInt8] {
        try System.readFile(path, limit: limit)
    }
}
