internal import SluiceHTTP

/// Upstreams.
extension ConfigurationCheck {
    mutating func checkUpstreams() {
        for (name, upstream) in configuration.upstreams.sorted(by: { $0.key < $1.key }) {
            let path = Path()["upstreams"][name]
            checkServers(of: upstream, path["servers"])
            checkHash(of: upstream, path["hash"])
            if let check = upstream.healthCheck { self.check(check, path["health_check"]) }
            checkTLS(of: upstream, path["tls"])
            check(upstream.timeouts, path["timeouts"])
            checkBounds(of: upstream, path)
        }
    }

    private mutating func checkServers(of upstream: UpstreamOptions, _ path: Path) {
        if upstream.servers.isEmpty { report(path, "expected at least one server such as http://127.0.0.1:3000") }
        var seen: [String: Int] = [:]
        for (index, server) in upstream.servers.enumerated() {
            if let reason = UpstreamServer.problem(of: server) {
                report(path[index], reason)
            } else if let first = seen.updateValue(index, forKey: server) {
                report(path[index], "\(server) is a server already, as servers[\(first)]")
            }
        }
    }

    private mutating func checkHash(of upstream: UpstreamOptions, _ path: Path) {
        guard upstream.balance == .hash else {
            if upstream.hash != nil { report(path, "this key stands only beside balance: hash") }
            return
        }
        switch upstream.hash?.kind {
        case nil:
            report(path, "balance: hash needs to know what: {header: X}, {cookie: X}, {query: X} or address")
        case .header(let name): headerName(name, path["header"], reserved: [])
        case .cookie(let name):
            if !HTTPToken.isValid(name) { report(path["cookie"], "\"\(name)\" is not the name of a cookie") }
        case .query(let name):
            if name.isEmpty { report(path["query"], "expected the name of a parameter") }
        case .address: break
        }
    }

    private mutating func check(_ check: HealthCheck, _ path: Path) {
        var head = RequestHead.make()
        if !head.setTarget(check.path.utf8) {
            report(path["path"], "expected a path such as /healthz, not \"\(check.path)\"")
        }
        // More often it would be a load of its own.
        time(check.every, path["every"], atLeast: .milliseconds(100))
        time(check.timeout, path["timeout"], atLeast: .milliseconds(1))
        count(check.fall, path["fall"], atLeast: 1, atMost: 1000)
        count(check.rise, path["rise"], atLeast: 1, atMost: 1000)
        if let status = check.status { count(status, path["status"], atLeast: 200, atMost: 599) }
    }

    private mutating func checkTLS(of upstream: UpstreamOptions, _ path: Path) {
        let tls = upstream.tls
        // What cannot be read is reported already.
        let isPlain = upstream.servers.allSatisfy { (try? UpstreamServer($0))?.isSecure == false }
        if tls != UpstreamTLS(), isPlain { report(path, "none of the servers is an https one") }
        if let authority = tls.certificateAuthority { file(authority, path["ca"]) }
        if let certificate = tls.clientCertificate {
            let readable = file(certificate.certificate, path["certificate"])
            if file(certificate.key, path["key"]), readable, let reason = CertificateCheck.problem(of: certificate) {
                report(path, reason)
            }
        }
        if let name = tls.serverName, (try? FeedURL("https://\(name)"))?.host != name {
            report(path["server_name"], "expected a host name, not \"\(name)\"")
        }
    }

    private mutating func check(_ timeouts: UpstreamTimeouts, _ path: Path) {
        let times = [
            ("connect", timeouts.connect), ("first_byte", timeouts.firstByte), ("idle", timeouts.idle),
            ("tunnel", timeouts.tunnel), ("stream", timeouts.stream),
        ]
        for (name, value) in times { time(value, path[name], atLeast: .milliseconds(1)) }
    }

    private mutating func checkBounds(of upstream: UpstreamOptions, _ path: Path) {
        count(upstream.passive.failures, path["passive"]["failures"], atLeast: 0, atMost: 1_000_000)
        time(upstream.passive.duration, path["passive"]["for"], atLeast: .milliseconds(1))
        if let connections = upstream.connections { count(connections, path["connections"], atLeast: 1) }
        // Who leaves the queue is looked for in it.
        count(upstream.queue.size, path["queue"]["size"], atLeast: 0, atMost: 10_000)
        time(upstream.queue.timeout, path["queue"]["timeout"], atLeast: .milliseconds(1))
        count(upstream.keepAlive.connections, path["keep_alive"]["connections"], atLeast: 0, atMost: 1 << 20)
        time(upstream.keepAlive.idle, path["keep_alive"]["idle"], atLeast: .milliseconds(1))
        count(upstream.retries, path["retries"], atLeast: 0, atMost: 10)
        time(upstream.resolve, path["resolve"], atLeast: .seconds(1))
    }
}
