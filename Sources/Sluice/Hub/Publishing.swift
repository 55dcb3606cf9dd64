public import SluiceSSE
internal import Synchronization

/// What became of published events.
public struct PublishReceipt: Sendable, Hashable {
    /// The events' ids as subscribers see them, in order: the gateway's, or under `ids: upstream` the events' own
    /// (empty for one that has none).
    public let ids: [String]
    /// Subscribers that were connected to the topic.
    public let subscribers: Int
}

extension Hub {
    /// Publishes an event. It was appended to the topic when this returns.
    /// - Throws: `SluiceError` of kind `unknownTopic`, `limit`, or `badEvent` for a CR, LF or NUL in its type or id.
    @discardableResult
    public func publish(_ event: ServerSentEvent, to topic: String) throws(SluiceError) -> PublishReceipt {
        var event = event
        let topic = try self.topic(named: topic)
        return unsafe try event.data.withUTF8Bytes { data throws(SluiceError) in
            unsafe try publish(
                data: data, type: event.event.map { Array($0.utf8) }, id: event.id.map { Array($0.utf8) }, to: topic)
        }
    }

    /// Publishes one event given as bytes, which must be UTF-8.
    func publish(
        data: UnsafeRawBufferPointer, type: [UInt8]?, id: [UInt8]?, to topic: Topic, from worker: Int? = nil
    ) throws(SluiceError) -> PublishReceipt {
        for (value, name) in [(type, "event"), (id, "id")] {
            let isValid = unsafe value?.withUnsafeBytes { unsafe EventEncoder.isValidField($0) } ?? true
            guard value?.count ?? 0 <= EncodedEvent.longestID else {
                throw SluiceError(.badEvent, "the \(name) of an event has at most \(EncodedEvent.longestID) bytes")
            }
            guard isValid else {
                throw SluiceError(.badEvent, "the \(name) of an event may not hold CR, LF or NUL")
            }
        }
        let encoded = unsafe encode(data: data, type: type, id: id, for: topic)
        var target = topic
        var first = append([encoded], to: target, from: worker)
        while first == nil {
            // The instance was dropped between finding it and now: the next one takes the event.
            target = try self.topic(named: topic.name)
            first = append([encoded], to: target, from: worker)
        }
        let text: String
        switch target.options.ids.kind {
        case .gateway: text = String(decoding: self.id(of: encoded.sequence), as: UTF8.self)
        case .upstream: text = String(decoding: encoded.header.ownID, as: UTF8.self)
        case .off: text = ""
        }
        return PublishReceipt(ids: [text], subscribers: target.subscribers.load(ordering: .relaxed))
    }

    func encode(data: UnsafeRawBufferPointer, type: [UInt8]?, id: [UInt8]?, for topic: Topic) -> EncodedEvent {
        let type = type ?? []
        let ids = topic.options.ids.kind
        let own = ids == .upstream ? id ?? [] : []
        return unsafe type.withUnsafeBytes { typeBytes in
            unsafe own.withUnsafeBytes { idBytes in
                unsafe EncodedEvent.make(
                    data: data, type: typeBytes.isEmpty ? nil : typeBytes, id: idBytes.isEmpty ? nil : idBytes,
                    epoch: ids == .gateway ? epoch : nil)
            }
        }
    }

    /// `<epoch>-<sequence>`: a position as clients see it.
    func id(of sequence: UInt64) -> [UInt8] {
        var bytes = epoch
        bytes.append(0x2D)
        for place in (0..<EncodedEvent.digits).reversed() {
            let digit = UInt8(truncatingIfNeeded: sequence >> UInt64(4 * place) & 15)
            bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
        }
        return bytes
    }

    /// The sequence that an id of this hub's epoch names; `nil` for any other text.
    func sequence(ofID id: [UInt8]) -> UInt64? {
        guard id.count == epoch.count + 1 + EncodedEvent.digits, id.starts(with: epoch), id[epoch.count] == 0x2D else {
            return nil
        }
        var sequence: UInt64 = 0
        for byte in id[(epoch.count + 1)...] {
            switch byte {
            case 0x30...0x39: sequence = sequence << 4 | UInt64(byte - 0x30)
            case 0x61...0x66: sequence = sequence << 4 | UInt64(byte - 0x57)
            default: return nil
            }
        }
        return sequence
    }
}

extension String {
    /// The string's UTF-8, in place where it can be.
    mutating func withUTF8Bytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws(SluiceError) -> Result
    ) throws(SluiceError) -> Result {
        // `withUTF8` only rethrows untyped, so the outcome is carried out of it.
        let outcome: Swift.Result<Result, SluiceError> = withUTF8 { bytes in
            do throws(SluiceError) {
                return .success(try unsafe body(UnsafeRawBufferPointer(bytes)))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}
