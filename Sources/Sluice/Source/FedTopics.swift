internal import Synchronization

/// The topics that one source feeds, while instances of templates come and go, and whether anybody listens to them.
struct FedTopics {
    /// In no order.
    private(set) var list: [Topic] = []
    private var places: [ObjectIdentifier: Int] = [:]
    private var used: Set<ObjectIdentifier> = []

    var isEmpty: Bool { list.isEmpty }

    /// Whether any of them has a subscriber.
    var isUsed: Bool { !used.isEmpty }

    /// Looks at a topic that is new, was dropped, or has its first subscriber or lost its last one. In what order such
    /// news come does not matter: only how the topic is now.
    mutating func look(at topic: Topic) {
        let id = ObjectIdentifier(topic)
        if topic.isDropped.load(ordering: .relaxed) { return remove(id) }
        if places[id] == nil {
            places[id] = list.count
            list.append(topic)
        }
        if topic.subscribers.load(ordering: .relaxed) > 0 { used.insert(id) } else { used.remove(id) }
    }

    private mutating func remove(_ id: ObjectIdentifier) {
        guard let place = places.removeValue(forKey: id), let last = list.popLast() else { return }
        used.remove(id)
        guard ObjectIdentifier(last) != id else { return }
        list[place] = last
        places[ObjectIdentifier(last)] = place
    }
}
