internal import SluiceIO

/// Opens every listener once for each worker. The first worker's port stands for all: where the system chose one, the
/// others share it. A unix socket has one queue, which workers share by a duplicate.
struct OpenedListeners {
    private let planned: [Plan.PlannedListener]
    private var bound: [SocketAddress] = []
    private var first: [Worker.ListenerSlot] = []

    init(_ planned: [Plan.PlannedListener]) { self.planned = planned }

    var addresses: [Gateway.Address] {
        zip(bound, planned).map { address, plan in
            Gateway.Address(
                description: "\(address)", port: address.port.map(Int.init), isTLS: plan.tls != nil)
        }
    }

    /// The listeners of the next worker.
    mutating func next() throws -> [Worker.ListenerSlot] {
        guard !first.isEmpty || planned.isEmpty else {
            for plan in planned { try Listener.checkFree(plan.address) }
            first = try planned.map { plan in
                Worker.ListenerSlot(try Listener.open(plan.address, sharing: true), tls: plan.tls)
            }
            bound = first.map { $0.listener.boundAddress }
            return first
        }
        return try first.enumerated().map { number, slot in
            if case .unix = slot.listener.boundAddress {
                return Worker.ListenerSlot(try slot.listener.duplicate(), tls: slot.tls)
            }
            return Worker.ListenerSlot(try Listener.open(bound[number], sharing: true), tls: slot.tls)
        }
    }
}
