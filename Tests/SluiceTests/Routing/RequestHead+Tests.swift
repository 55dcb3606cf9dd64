import Sluice
import SluiceHTTP

/// A request's head with what routing looks at.
func head(
    _ method: HTTPMethod, _ path: String, host: String? = nil, accept: [String] = [],
    authorization: [String] = []
) -> RequestHead {
    var fields = FieldBlock()
    for value in accept { fields.append(.accept, value) }
    for value in authorization { fields.append(.authorization, value) }
    return RequestHead.make(method: method, target: path, host: host, fields: fields)
}

/// The head of a GET.
func head(_ path: String, host: String? = nil, accept: [String] = [], authorization: [String] = []) -> RequestHead {
    head(.get, path, host: host, accept: accept, authorization: authorization)
}

/// A slice that does not begin at 0, as slices of a read buffer do not.
func bytes(_ text: String) -> ArraySlice<UInt8> { ([0, 0, 0] + Array(text.utf8))[3...] }
