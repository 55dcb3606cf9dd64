/// What routes change in requests and answers.
extension ConfigurationCheck {
    mutating func checkEdits(of route: Route, _ path: Path) {
        let isUseless = !route.target.isForwarding
        let useless = "this is of no use here: the route passes no request on"
        if let rewrite = route.rewrite {
            if !route.target.looksAtPath { report(path["rewrite"], useless) }
            prefix(rewrite.stripPrefix, path["rewrite"]["strip_prefix"])
            prefix(rewrite.addPrefix, path["rewrite"]["add_prefix"])
        }
        if let edits = route.requestHeaders {
            let place = path["request_headers"]
            if isUseless { report(place, useless) }
            check(edits, place, reserved: HeaderEdits.untouchable)
            for (name, value) in edits.set where name.lowercased() == "host" && !DescribedRequest.isHost(value) {
                report(place["set"][name], "\"\(value)\" is no host, with or without a port")
            }
            let others = edits.remove.enumerated().map { (place["remove"][$0], $1) }
            for (place, name) in others + edits.add.map({ (place["add"][$0.name], $0.name) })
            where name.lowercased() == "host" {
                report(place, "a request has one Host: it can only be set")
            }
        }
        if let edits = route.responseHeaders {
            // The position of a stream is known only when it begins.
            let own = HeaderEdits.untouchable.union(["date", "last-event-id"])
            check(edits, path["response_headers"], reserved: own)
        }
    }

    private mutating func prefix(_ text: String?, _ path: Path) {
        if let text, let reason = PathRewrite.problem(of: text) { report(path, reason) }
    }

    private mutating func check(_ edits: HeaderEdits, _ path: Path, reserved: Set<String>) {
        for (index, name) in edits.remove.enumerated() {
            headerName(name, path["remove"][index], reserved: reserved)
        }
        for (key, fields) in [("set", edits.set), ("add", edits.add)] {
            for (name, value) in fields {
                headerName(name, path[key][name], reserved: reserved)
                headerValue(value, path[key][name])
            }
        }
        let set = Set(edits.set.map { $0.name.lowercased() })
        for (index, name) in edits.remove.enumerated() where set.contains(name.lowercased()) {
            report(path["remove"][index], "\(name) is set as well, which removes what is there")
        }
    }
}
