import Sluice
import Testing

@testable import SluiceConfiguration

/// Reads a text as the file `x.yaml` in `/etc/x`.
func read(
    _ text: String, environment: [String: String] = [:], folder: String = "/etc/x"
) throws(ConfigurationErrors) -> ConfigurationFile {
    try ConfigurationFile(text: text, name: "x.yaml", folder: folder, environment: environment)
}

/// A text with a listener in line 1, so that only what a test is about can be wrong.
func with(_ text: String) -> String { "listeners: [\":0\"]\n" + text }

/// What is wrong with a text: `line:column path: message`.
func errors(in text: String, environment: [String: String] = [:], folder: String = "/etc/x") -> [String] {
    do throws(ConfigurationErrors) {
        _ = try read(text, environment: environment, folder: folder)
        return []
    } catch {
        return error.diagnostics.map { String($0.description.dropFirst("x.yaml:".count)) }
    }
}

/// Whether two configurations are the same, secrets included.
func expectSame(_ a: Configuration, _ b: Configuration, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(a.workers == b.workers, sourceLocation: sourceLocation)
    #expect(a.log == b.log, sourceLocation: sourceLocation)
    #expect(a.listeners == b.listeners, sourceLocation: sourceLocation)
    #expect(a.sources == b.sources, sourceLocation: sourceLocation)
    #expect(a.topics == b.topics, sourceLocation: sourceLocation)
    #expect(a.upstreams == b.upstreams, sourceLocation: sourceLocation)
    #expect(a.routes == b.routes, sourceLocation: sourceLocation)
    #expect(a.limits == b.limits, sourceLocation: sourceLocation)
    #expect(a.trustedProxies == b.trustedProxies, sourceLocation: sourceLocation)
    #expect(a.requestID == b.requestID, sourceLocation: sourceLocation)
    #expect(a.shutdownGrace == b.shutdownGrace, sourceLocation: sourceLocation)
}

/// The top of the repository.
let top = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
