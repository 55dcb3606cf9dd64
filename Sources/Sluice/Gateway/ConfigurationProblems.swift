extension Configuration {
    /// Everything that cannot work in this configuration, in its order; empty when it is fine. Looks at the files that
    /// it names, opens no socket and asks no network.
    public func problems() -> [ConfigurationProblem] {
        var check = ConfigurationCheck(configuration: self)
        check.run()
        return check.problems
    }
}

/// One pass over a configuration. The same checks hold for YAML and for a configuration built in code.
struct ConfigurationCheck {
    typealias Path = ConfigurationProblem.Path

    let configuration: Configuration
    var problems: [ConfigurationProblem] = []

    init(configuration: Configuration) { self.configuration = configuration }

    mutating func run() {
        checkProcess()
        checkListeners()
        checkSources()
        checkTopics()
        checkUpstreams()
        checkRoutes()
        checkLimits()
    }

    mutating func report(_ path: Path, _ message: String, suggestion: String? = nil) {
        problems.append(ConfigurationProblem(path, message, suggestion: suggestion))
    }

    private mutating func checkProcess() {
        let top = Path()
        if let workers = configuration.workers, !(1...64).contains(workers) {
            report(top["workers"], "expected auto or 1 to 64, not \(workers)")
        }
        let levels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]
        let level = configuration.log.level
        if !levels.contains(level) {
            report(
                top["log"]["level"], "expected \(levels.joined(separator: ", ")), not \"\(level)\"",
                suggestion: Suggestion.nearest(to: level, in: levels))
        }
        checkAccessLog(configuration.log.access, top["log"]["access"])
        for (index, network) in configuration.trustedProxies.enumerated() where !Syntax.isNetwork(network) {
            report(
                top["trusted_proxies"][index],
                "expected a network such as 10.0.0.0/8, ::1/128 or a bare address, not \"\(network)\"")
        }
        time(configuration.shutdownGrace, top["shutdown_grace"], atLeast: .zero)
    }

    private mutating func checkListeners() {
        let top = Path()["listeners"]
        if configuration.listeners.isEmpty { report(top, "expected at least one address such as \":8080\"") }
        var seen: [String: Int] = [:]
        for (index, listener) in configuration.listeners.enumerated() {
            let path = top[index]
            if let reason = Syntax.listenProblem(listener.address) {
                report(path["address"], reason)
            } else if !listener.address.hasSuffix(":0"), let first = seen.updateValue(index, forKey: listener.address) {
                report(path["address"], "\(listener.address) is listened on already, by listeners[\(first)]")
            }
            if let tls = listener.tls { check(tls, path["tls"]) }
            if listener.h2c, listener.tls != nil {
                report(path["h2c"], "h2c is HTTP/2 without TLS; with TLS the protocol is agreed on by alpn")
            }
            if listener.proxyProtocol, configuration.trustedProxies.isEmpty, !listener.address.hasPrefix("unix:") {
                report(
                    path["proxy_protocol"],
                    "only trusted_proxies may connect to a listener with proxy_protocol, and none are given")
            }
        }
    }

    private mutating func check(_ tls: TLSOptions, _ path: Path) {
        if tls.certificates.isEmpty, tls.developmentDirectory == nil {
            report(path["certificates"], "expected at least one pair of certificate and key")
        }
        for (index, pair) in tls.certificates.enumerated() {
            let place = path["certificates"][index]
            let readable = file(pair.certificate, place["certificate"])
            if file(pair.key, place["key"]), readable, let reason = CertificateCheck.problem(of: pair) {
                report(place, reason)
            }
        }
        let known = ["h2", "http/1.1"]
        if tls.alpn.isEmpty { report(path["alpn"], "expected at least one protocol: h2 or http/1.1") }
        for (index, name) in tls.alpn.enumerated() where !known.contains(name) {
            report(
                path["alpn"][index], "the protocol \"\(name)\" is not known; expected h2 or http/1.1",
                suggestion: Suggestion.nearest(to: name, in: known))
        }
    }

    private mutating func checkLimits() {
        let limits = configuration.limits
        let path = Path()["limits"]
        if let connections = limits.connections { count(connections, path["connections"], atLeast: 1) }
        count(limits.connectionsPerAddress, path["connections_per_address"], atLeast: 1)
        // Below these a browser's ordinary request would be refused.
        count(limits.streams, path["streams"], atLeast: 1)
        count(limits.requestLine, path["request_line"], atLeast: 256)
        count(limits.requestHead, path["request_head"], atLeast: 1024)
        count(limits.requestFields, path["request_fields"], atLeast: 8)
        count(limits.publishBody, path["publish_body"], atLeast: 1)
        count(limits.publishEvents, path["publish_events"], atLeast: 1)
        count(limits.topics, path["topics"], atLeast: 1)
        if let bytes = limits.logBytes { count(bytes, path["log_bytes"], atLeast: 1 << 20) }
        if let feeds = limits.feeds { count(feeds, path["feeds"], atLeast: 1) }
        count(limits.feedLine, path["feed_line"], atLeast: 64)
        count(limits.feedEvent, path["feed_event"], atLeast: 64)
        time(limits.requestHeadTimeout, path["request_head_timeout"], atLeast: .milliseconds(1))
        time(limits.keepAlive, path["keep_alive"], atLeast: .milliseconds(1))
        time(limits.writeTimeout, path["write_timeout"], atLeast: .milliseconds(1))
        if limits.requestLine > limits.requestHead {
            report(path["request_line"], "a request's line cannot be longer than its head (request_head)")
        }
    }
}

/// The checks of single values.
extension ConfigurationCheck {
    /// A year: far beyond any use, and far from where milliseconds could overflow.
    static var longest: Duration { .seconds(365 * 24 * 3600) }

    mutating func time(_ value: Duration, _ path: Path, atLeast least: Duration) {
        if value < least {
            report(path, least == .zero ? "cannot be negative" : "expected at least \(least)")
        } else if value > Self.longest {
            report(path, "expected at most a year (8760h)")
        }
    }

    mutating func count(_ value: Int, _ path: Path, atLeast least: Int, atMost most: Int = 1 << 50) {
        if value < least {
            report(path, "expected at least \(least), not \(value)")
        } else if value > most {
            report(path, "expected at most \(most), not \(value)")
        }
    }

    mutating func part(_ value: Double, _ path: Path) {
        if !(0...1).contains(value) { report(path, "expected a part from 0 to 1, not \(value)") }
    }

    /// Says whether the file can be read, and reports it when it cannot.
    @discardableResult
    mutating func file(_ name: String, _ path: Path) -> Bool {
        guard let reason = NamedFile.problem(of: name) else { return true }
        report(path, reason)
        return false
    }

    mutating func headerName(_ name: String, _ path: Path, reserved: Set<String>) {
        if !HTTPToken.isValid(name) {
            report(path, "\"\(name)\" is not the name of a field")
        } else if reserved.contains(name.lowercased()) {
            report(path, "\(name) is set by the gateway itself")
        }
    }

    mutating func headerValue(_ value: String, _ path: Path) {
        if !Syntax.isFieldValue(value) {
            report(path, "a field's value cannot contain line ends or control characters")
        }
    }
}
