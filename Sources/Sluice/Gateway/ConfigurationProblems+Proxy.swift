/// The proxy target.
extension ConfigurationCheck {
    mutating func check(_ options: ProxyOptions, _ path: Path) {
        let names = configuration.upstreams.keys
        if !names.contains(options.upstream) {
            report(
                path["upstream"], "there is no upstream \"\(options.upstream)\"",
                suggestion: Suggestion.nearest(to: options.upstream, in: names))
        }
        if let heartbeat = options.heartbeat { time(heartbeat, path["heartbeat"], atLeast: .milliseconds(1)) }
        if let last = options.onUpstreamLoss {
            let place = path["on_upstream_loss"]
            if last.event.isEmpty || last.event.contains(where: { $0.isNewline || $0 == "\0" }) {
                report(place["event"], "expected the type of an event, on one line")
            }
        }
        for (index, name) in options.upgrade.enumerated() where !HTTPToken.isValid(name) {
            report(path["upgrade"][index], "\"\(name)\" is not the name of a protocol such as websocket")
        }
    }
}
