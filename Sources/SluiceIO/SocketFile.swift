/// Which file a path stood for: another one made later under the same name is not ours.
struct FileIdentity: Equatable, Sendable {
    let device: UInt64
    let inode: UInt64
}

/// The file of a listening unix socket. The last of the listeners that share it removes it.
final class SocketFile: Sendable {
    private let path: String
    private let identity: FileIdentity

    init?(path: String) {
        guard let found = try? System.file(at: path), found.isSocket else { return nil }
        self.path = path
        self.identity = found.identity
    }

    deinit {
        // A successor may have taken the path over already: then the file there is its, not ours.
        guard let found = try? System.file(at: path), found.identity == identity else { return }
        try? System.unlink(path)
    }

    /// Removes what a process that died left behind.
    ///
    /// - Throws: why the path is not free: a live listener, a file that is no socket, or what the kernel said.
    static func removeStale(at path: String) throws(ListenError.Reason) {
        let found: (isSocket: Bool, identity: FileIdentity)
        do { found = try System.file(at: path) } catch {
            if error == .notFound { return }
            throw .system(error)
        }
        if !found.isSocket { throw .notASocket }
        do {
            // Only a refusal proves that nobody listens; a full backlog or a denied permission prove the opposite.
            _ = try Socket.connecting(to: .unix(path))
            throw ListenError.Reason.portInUse
        } catch let reason as ListenError.Reason {
            throw reason
        } catch let error as Errno {
            if error == .notFound { return }
            if error != .connectionRefused { throw .portInUse }
        } catch {
            throw .portInUse
        }
        do { try System.unlink(path) } catch {
            if error != .notFound { throw .system(error) }
        }
    }
}
