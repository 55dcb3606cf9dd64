internal import SluiceHTTP
internal import SluiceIO

/// The files of a route, ready to be found.
final class PlannedFiles: Sendable {
    let options: FileOptions
    private let types: ContentTypes
    private let pattern: PathPattern
    private let rewrite: PathRewrite?

    /// - Parameters:
    ///   - pattern: the path of the route.
    ///   - rewrite: what is done to a request's path before it is looked for.
    init(_ options: FileOptions, pattern: PathPattern, rewrite: PathRewrite?) {
        self.options = options
        self.pattern = pattern
        self.rewrite = rewrite
        types = ContentTypes(adding: options.types)
    }

    /// The path below the root that a request asks for: the rewritten path where the route rewrites, else what the `**`
    /// of its pattern took, else the whole path. `nil`: nothing is ever served there.
    func path(of head: RequestHead) -> FilePath? {
        // Routes may see slashes in a row as one. Here they name nothing: what is served is what was matched.
        guard let path = try? RequestPath(head.path), let merged = try? RequestPath(head.path, mergesSlashes: true),
            path.bytes == merged.bytes
        else { return nil }
        guard let rewrite else { return FilePath(path.bytes[pattern.restStart(in: path)...]) }
        var rewritten = head
        rewrite.apply(to: &rewritten)
        // Of `/app` the prefix leaves nothing, which as a target is a slash.
        let isRoot = rewritten.path.elementsEqual("/".utf8) && path.bytes.last != UInt8(ascii: "/")
        return FilePath(isRoot ? [] : rewritten.path)
    }

    /// Opens the root. What is in its way is the gateway's own trouble, whatever the path.
    func root() throws(Errno) -> RootFolder { try RootFolder(options.root) }

    /// Opens what stands at a path.
    /// - Parameter acceptsGzip: whether what was compressed before may be served.
    func find(_ path: FilePath, in folder: borrowing RootFolder, acceptsGzip: Bool) throws(Errno) -> FoundFile {
        do throws(Errno) {
            return try prepared(try find(path, in: folder), in: folder, acceptsGzip)
        } catch {
            guard error.fileStatus == 404, let fallback = options.fallback else { throw error }
            return try prepared(try regular(Array(fallback.utf8), in: folder), in: folder, acceptsGzip)
        }
    }

    /// The compressed form of a file, where there is one and it is wanted.
    private func prepared(
        _ found: consuming FoundFile, in folder: borrowing RootFolder, _ acceptsGzip: Bool
    ) throws(Errno) -> FoundFile {
        guard options.precompressed, acceptsGzip else { return found }
        switch consume found {
        case .folder: return .folder
        case .file(let file, let path, let type, let isGzip):
            do throws(Errno) {
                let compressed = try folder.open(path + ".gz".utf8)
                if compressed.facts.kind == .regular {
                    return .file(compressed, path: path, type: type, isGzip: true)
                }
            } catch {
                // Without descriptors it is better to say so than to send more than was asked for.
                if error.fileStatus == 503 { throw error }
            }
            return .file(file, path: path, type: type, isGzip: isGzip)
        }
    }

    private func find(_ path: FilePath, in folder: borrowing RootFolder) throws(Errno) -> FoundFile {
        if path.endsWithSlash { return try index(of: path, in: folder) }
        if !path.bytes.isEmpty {
            let file = try folder.open(path.bytes)
            switch file.facts.kind {
            case .regular: return .file(file, path: path.bytes, type: type(path.bytes), isGzip: false)
            case .other: throw .notFound
            case .folder: break
            }
        }
        // A folder that has nothing to show is not told of.
        _ = try index(of: path, in: folder)
        return .folder
    }

    private func index(of path: FilePath, in folder: borrowing RootFolder) throws(Errno) -> FoundFile {
        for name in options.index {
            do throws(Errno) {
                return try regular(path.adding(name), in: folder)
            } catch {
                guard error.fileStatus == 404 else { throw error }
            }
        }
        throw .notFound
    }

    private func regular(_ path: [UInt8], in folder: borrowing RootFolder) throws(Errno) -> FoundFile {
        let file = try folder.open(path)
        guard file.facts.kind == .regular else { throw .notFound }
        return .file(file, path: path, type: type(path), isGzip: false)
    }

    private func type(_ path: [UInt8]) -> String { types.type(ofFile: path) ?? ContentTypes.unknown }
}

/// What stands at a path.
enum FoundFile: ~Copyable {
    /// - Parameter path: below the root, of the file itself also where its compressed form was found.
    case file(OpenFile, path: [UInt8], type: String, isGzip: Bool)
    /// A folder with an index, asked for without the slash at its end.
    case folder
}
