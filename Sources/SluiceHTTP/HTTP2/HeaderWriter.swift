internal import CNghttp2

/// Makes the fields of a response what nghttp2 takes: one run of bytes, names in small letters.
struct HeaderWriter {
    private var bytes: [UInt8] = []
    private var fields: [(name: Range<Int>, value: Range<Int>)] = []
    private let status: UInt16

    /// Trailers.
    init() { status = 0 }

    init(status: UInt16) {
        // More or fewer than three digits would be no response at all.
        self.status = min(max(status, 100), 999)
        append(":status".utf8, String(self.status).utf8)
    }

    /// Adds all fields but Content-Length and those of an HTTP/1.1 connection (RFC 9113, 8.2.2).
    mutating func append(_ block: FieldBlock) {
        block.forEach { id, name, value in
            switch id {
            case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade, .contentLength: return
            default: append(name.lazy.map(ASCII.lowered), value)
            }
        }
    }

    /// Adds the Content-Length. A preview is the head alone of a response that would have a body.
    mutating func append(lengthOf head: ResponseHead, isPreview: Bool) {
        // RFC 9110, 8.6.
        guard status >= 200, status != 204 else { return }
        if case .length(let length) = head.body {
            append("content-length".utf8, String(length).utf8)
        } else if isPreview, let value = head.fields.first(.contentLength),
            unsafe value.withUnsafeBytes({ unsafe ASCII.decimal($0) }) != nil
        {
            append("content-length".utf8, value)
        }
    }

    private mutating func append(_ name: some Sequence<UInt8>, _ value: some Sequence<UInt8>) {
        let start = bytes.count
        bytes.append(contentsOf: name)
        let nameEnd = bytes.count
        bytes.append(contentsOf: value)
        fields.append((start..<nameEnd, nameEnd..<bytes.count))
    }

    /// Calls with the fields, which are valid during the call.
    mutating func withFields(_ body: (UnsafePointer<nghttp2_nv>?, Int) -> Void) {
        let fields = fields
        unsafe bytes.withUnsafeMutableBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return }
            let pairs = unsafe fields.map { field in
                unsafe nghttp2_nv(
                    name: start + field.name.lowerBound, value: start + field.value.lowerBound,
                    namelen: field.name.count, valuelen: field.value.count, flags: 0)
            }
            unsafe pairs.withUnsafeBufferPointer { unsafe body($0.baseAddress, $0.count) }
        }
    }
}
