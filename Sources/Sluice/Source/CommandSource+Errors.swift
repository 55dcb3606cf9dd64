internal import Logging
internal import SluiceIO

/// What a command writes to its standard error goes to the log: the beginning of each line, and of a flood a few lines.
/// It is read on all the same, so that the command never waits for it.
extension CommandSource {
    func readErrors() -> IOResult {
        guard let child else { return .end }
        let result = unsafe child.read(.errors, into: context.input)
        switch result {
        case .bytes(let count):
            unsafe errorLines.parse(UnsafeRawBufferPointer(rebasing: context.input[..<count])) { say($0) }
        case .wouldBlock: break
        case .end, .failed:
            unwatch(.errors)
            errorLines.finish { say($0) }
        }
        return result
    }

    /// The process ended: what it began to say is all that it said.
    func endErrors() {
        errorLines.finish { say($0) }
        tellLeftOut(errorBudget.takeLeftOut())
    }

    private func say(_ item: LineReader.Item) {
        let text: String
        switch item {
        case .line(let line, _): text = String(decoding: line, as: UTF8.self)
        case .tooLong(let start): text = String(decoding: start, as: UTF8.self) + "..."
        }
        guard let leftOut = errorBudget.take(at: context.now) else {
            context.counters.commands.linesLeftOut &+= 1
            return
        }
        tellLeftOut(leftOut)
        logger.info("standard error", metadata: ["line": "\(text)"])
    }

    private func tellLeftOut(_ count: UInt64) {
        guard count > 0 else { return }
        logger.warning("lines of standard error were left out", metadata: ["lines": "\(count)"])
    }
}
