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
    /// - Throws: `SluiceError` of kind `unknownTopic`, `limit`, `badEvent` for a CR, LF or NUL in its type or id, `full`
    ///   when subscribers are too far behind, `tooLarge` when the topic cannot keep it.
    @discardableResult
    public func publish(_ event: ServerSentEvent, to topic: String) throws(SluiceError) -> PublishReceipt {
        try publish([try EventDraft(event)], to: topic)
    }

    /// Publishes a batch in order, all or nothing, with nothing of the topic between its events. It was appended to the
    /// topic when this returns; an empty one does nothing.
    /// - Throws: `SluiceError` of kind `unknownTopic`, `limit`, `badEvent` (the message names the event's index), `full`
    ///   when subscribers are too far behind, `tooLarge` when the topic cannot keep all of it.
    @discardableResult
    public func publish(_ events: [ServerSentEvent], to topic: String) throws(SluiceError) -> PublishReceipt {
        var drafts: [EventDraft] = []
        drafts.reserveCapacity(events.count)
        for (index, event) in events.enumerated() {
            do throws(SluiceError) {
                drafts.append(try EventDraft(event))
            } catch {
                throw SluiceError(error.kind, "[\(index)]: \(error.message)")
            }
        }
        return try publish(drafts, to: topic)
    }

    private func publish(_ drafts: [EventDraft], to name: String) throws(SluiceError) -> PublishReceipt {
        let topic = try self.topic(named: name)
        guard !drafts.isEmpty else {
            return PublishReceipt(ids: [], subscribers: topic.subscribers.load(ordering: .relaxed))
        }
        var batch = EncodedBatch()
        for draft in drafts { batch.add(draft, to: topic, epoch: epoch) }
        switch publish(&batch) {
        case .accepted: return PublishReceipt(ids: ids(of: batch), subscribers: batch.subscribers)
        case .full: throw SluiceError(.full, "subscribers of \(name) are too far behind")
        case .tooLarge(let name): throw SluiceError(.tooLarge, "this is more than all that \(name) may keep")
        case .gone: throw SluiceError(.limit, Hub.noRoomForTopics)
        }
    }

    /// Publishes events, all or nothing, in order. Drafts are taken as they are.
    func publish(_ events: [Publication], from worker: Int? = nil, isSource: Bool = false) -> Admission {
        var batch = EncodedBatch()
        for event in events { batch.add(event, epoch: epoch) }
        return publish(&batch, from: worker, isSource: isSource)
    }

    /// Publishes a batch, all or nothing, in order.
    /// - Parameters:
    ///   - worker: the worker whose thread this is. When it is told `full`, its shard is told later to try again.
    ///   - isSource: what a topic's own source publishes neither keeps an instance that nobody uses nor makes it again.
    func publish(_ batch: inout EncodedBatch, from worker: Int? = nil, isSource: Bool = false) -> Admission {
        while true {
            switch append(&batch, from: worker, isSource: isSource) {
            case .appended: return .accepted
            case .full: return .full
            case .tooLarge(let topic): return .tooLarge(topic: topic)
            case .dropped(let topic):
                // An instance was dropped between finding it and now: the next one takes its events.
                let next = isSource ? state.withLock { $0.topics[topic.name] } : try? self.topic(named: topic.name)
                guard next != nil || isSource else { return .gone(topic: topic.name) }
                batch.replace(topic, by: next)
            }
        }
    }

    private func ids(of batch: EncodedBatch) -> [String] {
        batch.placements.filter(\.isFirst).map { placement in
            switch batch.shares[placement.share].topic.form.ids {
            case .gateway: String(decoding: id(of: placement.event.sequence), as: UTF8.self)
            case .upstream: String(decoding: placement.event.ownID, as: UTF8.self)
            case .off: ""
            }
        }
    }

    /// `<epoch>-<sequence>`: a position as clients see it.
    func id(of sequence: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(epoch.count + 1 + EncodedEvent.digits)
        appendID(of: sequence, to: &bytes)
        return bytes
    }

    func appendID(of sequence: UInt64, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: epoch)
        bytes.append(0x2D)
        var shift = 4 * EncodedEvent.digits
        while shift > 0 {
            shift -= 4
            let digit = UInt8(truncatingIfNeeded: sequence >> UInt64(shift) & 15)
            bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
        }
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
