internal import Logging
internal import SluiceIO

/// Listeners whose connections begin with a header of the PROXY protocol: who connects is a proxy, and the header names
/// the client that it connects for.
extension Worker {
    /// Whether who connected may name clients. Anybody who may could pose as any address, so others are not even read.
    func mayNameClients(_ peer: SocketAddress) -> Bool {
        // Who can reach a unix socket was let in by the rights of its file.
        guard let address = peer.ip, !isTrusted(address) else { return true }
        context.counters.untrustedProxies &+= 1
        sayOfProxyHeader("a peer outside of trusted_proxies was turned away", peer, nil)
        return false
    }

    /// Takes the header off the connection, as far as it has come.
    /// - Returns: whether what follows it, or what there is without one, may be read.
    func hasPassedProxyHeader(_ connection: ConnectionPointer) -> Bool {
        guard connection.value.proxyHeader != nil else { return true }
        switch connection.value.transport.peek(atMost: ProxyProtocolParser.longest, context) {
        case .nothing: break
        case .bytes(let count): return takeProxyHeader(connection, count)
        case .end:
            // A balancer that only looks whether somebody listens says nothing at all.
            guard connection.value.proxyHeader?.isEmpty == false else {
                doom(connection)
                break
            }
            refuseProxyHeader(connection, "the connection ended within the header")
        case .failed: doom(connection)
        }
        return false
    }

    private func takeProxyHeader(_ connection: ConnectionPointer, _ count: Int) -> Bool {
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: context.input[..<count])
        switch unsafe connection.value.proxyHeader?.parse(bytes) {
        case .needMore?:
            // Taken, or the selector would tell of them in every tick.
            connection.value.transport.skip(count, context)
        case .header(let length, let source)?:
            connection.value.transport.skip(length, context)
            connection.value.proxyHeader = nil
            if let source { connection.value.peer = source }
            countAddress(connection)
        case .refused(let reason)?: refuseProxyHeader(connection, reason)
        case nil: break
        }
        if connection.value.transport.failure != nil { doom(connection) }
        return connection.value.proxyHeader == nil && !connection.value.isDoomed
    }

    /// Closes without a word: what the peer speaks is not known.
    func refuseProxyHeader(_ connection: ConnectionPointer, _ reason: String) {
        context.counters.badProxyHeaders &+= 1
        sayOfProxyHeader(
            "a connection without a proper PROXY protocol header was closed", connection.value.peer, reason)
        doom(connection)
    }

    /// Counts a connection for its client; a trusted proxy's clients are counted stream by stream.
    func countAddress(_ connection: ConnectionPointer) {
        guard let address = connection.value.peer.ip, !isTrusted(address) else { return }
        connection.value.countedAddress = address
        if !plan.ledger.count(address) { connection.value.isRefused = true }
    }

    private func sayOfProxyHeader(_ message: Logger.Message, _ peer: SocketAddress, _ reason: String?) {
        guard let leftOut = proxyHeaderLines.take(at: context.now) else { return }
        var metadata: Logger.Metadata = ["peer": "\(peer)"]
        if let reason { metadata["reason"] = "\(reason)" }
        if leftOut > 0 { metadata["left_out"] = "\(leftOut)" }
        logger.warning(message, metadata: metadata)
    }
}
