extension Configuration {
    /// Which route takes a request. The configuration has no problems.
    package func explanation(of request: DescribedRequest) throws(SluiceError) -> RouteExplanation {
        do throws(RouteTable.Fault) {
            return try RouteExplanation(
                request.head, client: request.client, routes.map { ($0.match, $0.target) },
                mergesSlashes: mergesSlashes,
                hasCORS: { routes[$0].cors != nil })
        } catch {
            throw SluiceError(.configuration, "\(error)")
        }
    }
}
