internal import SluiceIO

/// One worker's part of the access log: the lines of a tick gather here and are handed over together.
final class AccessLog {
    private enum Format {
        case json(AccessJSON)
        case combined(CombinedFormat)
    }

    let mask: TokenMask
    private let writer: LineWriter
    private var format: Format
    private var buffer: [UInt8] = []
    private var lines = 0
    private var lost = 0

    /// Bytes that are handed over before the tick's end.
    private static let most = 256 * 1024

    init(_ sink: AccessSink) {
        mask = sink.mask
        writer = sink.writer
        format =
            switch sink.format.kind {
            case .json: .json(AccessJSON())
            case .combined: .combined(CombinedFormat())
            }
    }

    func write(_ line: AccessLine) {
        var line = line
        line.time = WallClock.nowMilliseconds()
        if buffer.isEmpty {
            lost = writer.takeLost()
            line.lost = lost
        }
        switch format {
        case .json(var json):
            json.append(line, to: &buffer)
            format = .json(json)
        case .combined(var combined):
            combined.append(line, to: &buffer)
            format = .combined(combined)
        }
        lines += 1
        if buffer.count >= Self.most { flush() }
    }

    /// The end of a tick.
    func flush() {
        guard !buffer.isEmpty else { return }
        writer.post(buffer, lines: lines, tellingOf: lost)
        buffer = []
        buffer.reserveCapacity(1024)
        lines = 0
        lost = 0
    }
}

/// What all workers' access logs share: where their lines go, how they look, what they hide.
struct AccessSink: Sendable {
    let writer: LineWriter
    let format: AccessLogFormat
    let mask: TokenMask
}
