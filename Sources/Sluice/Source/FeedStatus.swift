/// What subscribers are told of a feed's state, as an event of its topics.
enum FeedStatus {
    /// `{"feed":"prices","state":"down","reason":"status 503","retry_ms":1000}`; what does not apply is left out.
    static func data(
        feed: String, _ condition: UpstreamFeed.Condition, because fault: StreamFault?, retryMilliseconds: UInt64?
    ) -> [UInt8] {
        var data = Array("{\"feed\":".utf8)
        JSONText.append(feed, to: &data)
        data += Array(",\"state\":\"\(condition.rawValue)\"".utf8)
        if let fault { data += Array(",\"reason\":\"\(reason(fault))\"".utf8) }
        if let retryMilliseconds { data += Array(",\"retry_ms\":\(retryMilliseconds)".utf8) }
        data.append(UInt8(ascii: "}"))
        return data
    }

    /// A word or two of our own. What the log says may hold names and addresses that are no subscriber's business.
    private static func reason(_ fault: StreamFault) -> String {
        if let status = fault.status { return "status \(status)" }
        return switch fault.cause {
        case .lookup: "lookup"
        case .connect: "connect"
        case .tls: "tls"
        case .certificate: "certificate"
        case .http: "http"
        case .status: "status"
        case .refused: "refused"
        case .stopped: "stopped"
        case .mediaType: "media type"
        case .coding: "content coding"
        case .redirect: "redirect"
        case .timeout: "timeout"
        case .cut: "cut"
        case .ended: "ended"
        }
    }
}
