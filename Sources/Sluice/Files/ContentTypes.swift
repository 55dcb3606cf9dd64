/// Media types by the extensions of file names.
struct ContentTypes: Sendable {
    /// By extension in small letters.
    private let added: [String: String]

    /// - Parameter added: types by extension, before the known ones.
    init(adding added: [String: String] = [:]) {
        self.added = Dictionary(added.map { ($0.key.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    /// The type of a file; `nil` when its name says nothing.
    func type(ofFile path: some Sequence<UInt8>) -> String? {
        let name = String(decoding: Array(path), as: UTF8.self).split(separator: "/").last ?? ""
        // What begins with a dot and has no other has no extension.
        guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return nil }
        let ending = name[name.index(after: dot)...].lowercased()
        return added[ending] ?? Self.known[ending]
    }

    /// For files of which nothing is known.
    static let unknown = "application/octet-stream"

    private static let known: [String: String] = [
        "html": "text/html; charset=utf-8", "htm": "text/html; charset=utf-8",
        "xhtml": "application/xhtml+xml", "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8", "mjs": "text/javascript; charset=utf-8",
        "json": "application/json; charset=utf-8", "map": "application/json; charset=utf-8",
        "jsonld": "application/ld+json; charset=utf-8", "geojson": "application/geo+json; charset=utf-8",
        "webmanifest": "application/manifest+json; charset=utf-8", "wasm": "application/wasm",
        "txt": "text/plain; charset=utf-8", "log": "text/plain; charset=utf-8", "text": "text/plain; charset=utf-8",
        "md": "text/markdown; charset=utf-8", "csv": "text/csv; charset=utf-8", "vtt": "text/vtt; charset=utf-8",
        "ics": "text/calendar; charset=utf-8", "xml": "application/xml", "atom": "application/atom+xml",
        "rss": "application/rss+xml", "yaml": "application/yaml", "yml": "application/yaml",
        "pdf": "application/pdf", "rtf": "application/rtf", "epub": "application/epub+zip",
        "svg": "image/svg+xml", "png": "image/png", "apng": "image/apng", "jpg": "image/jpeg", "jpeg": "image/jpeg",
        "gif": "image/gif", "webp": "image/webp", "avif": "image/avif", "ico": "image/x-icon", "bmp": "image/bmp",
        "tif": "image/tiff", "tiff": "image/tiff",
        "woff": "font/woff", "woff2": "font/woff2", "ttf": "font/ttf", "otf": "font/otf",
        "mp3": "audio/mpeg", "m4a": "audio/mp4", "aac": "audio/aac", "ogg": "audio/ogg", "oga": "audio/ogg",
        "opus": "audio/ogg", "wav": "audio/wav", "flac": "audio/flac", "weba": "audio/webm",
        "mp4": "video/mp4", "m4v": "video/mp4", "webm": "video/webm", "ogv": "video/ogg", "mov": "video/quicktime",
        "mpeg": "video/mpeg", "m3u8": "application/vnd.apple.mpegurl", "ts": "video/mp2t",
        "mpd": "application/dash+xml",
        "zip": "application/zip", "gz": "application/gzip", "tar": "application/x-tar", "bz2": "application/x-bzip2",
        "7z": "application/x-7z-compressed", "zst": "application/zstd", "xz": "application/x-xz",
    ]
}
