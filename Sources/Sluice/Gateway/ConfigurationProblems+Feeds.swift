/// Feeds.
extension ConfigurationCheck {
    mutating func check(_ feed: FeedOptions, _ path: Path) {
        if let reason = FeedURL.problem(of: feed.url) {
            report(path["url"], reason)
        } else if Syntax.parameters(ofURL: feed.url) == nil {
            report(path["url"], "expected {name} for each parameter, not \"\(feed.url)\"")
        }
        // What the feed itself sends; two of one of them would contradict each other.
        let own: Set<String> = [
            "accept", "accept-encoding", "cache-control", "connection", "content-length", "host", "last-event-id", "te",
            "trailer", "transfer-encoding", "upgrade",
        ]
        for (name, value) in feed.headers.sorted(by: { $0.key < $1.key }) {
            headerName(name, path["headers"][name], reserved: own)
            headerValue(value.value, path["headers"][name])
            if name.lowercased() == "authorization", feed.credentials != nil {
                report(path["headers"][name], "credentials set this field already")
            }
        }
        if let credentials = feed.credentials { check(credentials, path["credentials"]) }
        check(feed.retry, path["retry"])
        time(feed.idleTimeout, path["idle_timeout"], atLeast: .milliseconds(1))
        if let authority = feed.certificateAuthority { file(authority, path["ca"]) }
        if let certificate = feed.clientCertificate {
            let place = path["client_certificate"]
            let readable = file(certificate.certificate, place["certificate"])
            if file(certificate.key, place["key"]), readable, let reason = CertificateCheck.problem(of: certificate) {
                report(place, reason)
            }
        }
        eventField(feed.idPrefix, path["id_prefix"])
        if feed.idPrefix.utf8.count > 256 { report(path["id_prefix"], "expected at most 256 bytes") }
        time(feed.linger, path["linger"], atLeast: .zero)
        check(feed.events, path["events"])
        if let status = feed.statusEvent {
            if status.isEmpty { report(path["status_event"], "expected the type of an event, or off") }
            eventField(status, path["status_event"])
        }
        count(feed.dedupe, path["dedupe"], atLeast: 0, atMost: 1 << 20)
    }

    private mutating func check(_ events: FeedEvents, _ path: Path) {
        for (key, types) in [("include", events.include), ("exclude", events.exclude)] {
            for (index, type) in types.enumerated() { eventType(type, path[key][index]) }
        }
        for (index, type) in events.exclude.enumerated() where events.include.contains(type) {
            report(path["exclude"][index], "\"\(type)\" is included too")
        }
        for (type, other) in events.rename.sorted(by: { $0.key < $1.key }) {
            let place = path["rename"][type]
            if type.isEmpty { report(place, "events without a type are called message") }
            eventType(other, place)
            if events.exclude.contains(type) || !(events.include.isEmpty || events.include.contains(type)) {
                report(
                    place, "\"\(type)\" is left out, so that it is never renamed",
                    suggestion: Suggestion.nearest(to: type, in: events.include))
            }
        }
        eventField(events.prefix, path["prefix"])
    }

    private mutating func eventType(_ type: String, _ path: Path) {
        if type.isEmpty { report(path, "events without a type are called message") }
        eventField(type, path)
    }

    private mutating func check(_ credentials: FeedCredentials, _ path: Path) {
        switch credentials.kind {
        case .bearer(let token): bearerToken(token, path["bearer"])
        case .basic(let user, let password):
            let place = path["basic"]
            if user.contains(":") { report(place["user"], "a name in HTTP Basic has no colon") }
            if !Syntax.isFieldValue(user) { report(place["user"], "cannot contain control characters") }
            if !Syntax.isFieldValue(password.value) {
                report(place["password"], "a password cannot contain control characters")
            }
        }
    }

    /// The ids of several sources must not meet: each has a prefix, and none begins with another's.
    mutating func checkIDs(of topic: TopicOptions, _ path: Path) {
        var prefixes: [(prefix: String, name: String)] = []
        for (index, name) in topic.sources.enumerated() {
            guard let source = configuration.sources[name], !topic.sources[..<index].contains(name) else { continue }
            guard case .feed(let feed) = source.kind, !feed.idPrefix.isEmpty else {
                report(
                    path["sources"][index],
                    "under ids: upstream two sources could use the same id for different events; each of several "
                        + "sources has to be a feed with an id_prefix, and \"\(name)\" has none")
                continue
            }
            let other = prefixes.first {
                $0.prefix.hasPrefix(feed.idPrefix) || feed.idPrefix.hasPrefix($0.prefix)
            }
            if let other {
                report(
                    path["sources"][index],
                    "the id_prefix of \"\(name)\" and that of \"\(other.name)\" begin alike, so that their ids could "
                        + "be the same")
            }
            prefixes.append((feed.idPrefix, name))
        }
    }
}
