import Testing

@testable import Sluice

@Suite struct FeedStatusTests {
    private func text(
        _ condition: UpstreamFeed.Condition, _ fault: StreamFault? = nil, retry: UInt64? = nil, feed: String = "prices"
    ) -> String {
        String(
            decoding: FeedStatus.data(feed: feed, condition, because: fault, retryMilliseconds: retry), as: UTF8.self)
    }

    @Test func `a state says which feed, why, and when it comes again`() {
        #expect(text(.up) == #"{"feed":"prices","state":"up"}"#)
        let fault = StreamFault(.status, "the upstream answered 503", status: 503)
        #expect(
            text(.down, fault, retry: 1000)
                == #"{"feed":"prices","state":"down","reason":"status 503","retry_ms":1000}"#)
        #expect(text(.stopped, StreamFault(.stopped, "204", status: 204)).contains(#""reason":"status 204"}"#))
    }

    @Test func `names and addresses of the upstream stay inside`() {
        for cause in FeedFault.allCases {
            let shown = text(.down, StreamFault(cause, "10.0.0.7:8443: secret.internal"))
            #expect(!shown.contains("10.0.0.7") && !shown.contains("secret"))
            #expect(shown.hasPrefix(#"{"feed":"prices","state":"down","reason":""#) && shown.hasSuffix(#""}"#))
        }
    }

    @Test func `a feed may have any name`() {
        #expect(text(.up, feed: "a\"b\n") == #"{"feed":"a\"b\n","state":"up"}"#)
    }
}
