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
        var head = head
        rewrite?.apply(to: &head)
        guard let path = try? RequestPath(head.path) else { return nil }
        return FilePath(path.bytes[(rewrite == nil ? pattern.restStart(in: path) : path.bytes.startIndex)...])
    }

    /// Opens what stands at a path.
    func find(_ path: FilePath) throws(Errno) -> FoundFile {
        let folder = try RootFolder(options.root)
        do throws(Errno) {
            return try find(path, in: folder)
        } catch {
            guard error.fileStatus == 404, let fallback = options.fallback else { throw error }
            return try regular(Array(fallback.utf8), in: folder)
        }
    }

    private func find(_ path: FilePath, in folder: borrowing RootFolder) throws(Errno) -> FoundFile {
        if path.endsWithSlash { return try index(of: path, in: folder) }
        if !path.bytes.isEmpty {
            let file = try folder.open(path.bytes)
            switch file.facts.kind {
            case .regular: return .file(file, type: type(path.bytes))
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
        return .file(file, type: type(path))
    }

    private func type(_ path: [UInt8]) -> String { types.type(ofFile: path) ?? ContentTypes.unknown }
}

/// What stands at a path.
enum FoundFile: ~Copyable {
    case file(OpenFile, type: String)
    /// A folder with an index, asked for without the slash at its end.
    case folder
}
