internal import SluiceHTTP

/// Requests that are sent elsewhere.
extension Worker {
    func redirect(_ stream: StreamPointer, _ exchange: Exchange, to template: RedirectTemplate, status: UInt16) {
        guard let location = template.location(for: exchange.head, exchange.parameters) else {
            return respond(stream, exchange, status: 400, text: "the request names no host")
        }
        exchange.commonFields.append(.location, location)
        respond(stream, exchange, status: status, text: "see \(location)")
    }
}
