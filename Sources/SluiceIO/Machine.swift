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

/// The memory of this machine.
package enum Memory {
    /// Bytes that this process may use: what the machine has, or what its control groups allow, if that is less.
    package static var available: Int {
        let groups = (try? FileContent.read("/proc/self/cgroup", limit: 65_536)) ?? []
        let bounds = limitFiles(groups: String(decoding: groups, as: UTF8.self)).compactMap {
            (try? FileContent.read($0, limit: 4096)).flatMap(bytes)
        }
        return bounds.reduce(System.physicalMemory(), min)
    }

    /// The files that bound the memory of a process: those of its group and of all groups around it (version 2), and
    /// that of version 1.
    static func limitFiles(groups: String) -> [String] {
        var files = ["/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        for line in groups.split(separator: "\n") where line.hasPrefix("0::/") {
            var path = line.dropFirst(3)
            while true {
                files.append("/sys/fs/cgroup\(path == "/" ? "" : path)/memory.max")
                guard path.count > 1, let slash = path.lastIndex(of: "/") else { break }
                path = slash == path.startIndex ? "/" : path[..<slash]
            }
        }
        return files
    }

    /// What such a file says: a number and a line end, or `max`.
    static func bytes(_ text: [UInt8]) -> Int? {
        Int(String(decoding: text.prefix { $0 != 0x0A }, as: UTF8.self)).flatMap { $0 > 0 ? $0 : nil }
    }
}

/// Files that are read whole: certificates, pages, secrets.
package enum FileContent {
    /// Reads a file.
    /// - Parameter limit: the most bytes that it may have; `EFBIG` beyond.
    package static func read(_ path: String, limit: Int = 64 * 1024 * 1024) throws(Errno) -> [UInt8] {
        try System.readFile(path, limit: limit)
    }
}
