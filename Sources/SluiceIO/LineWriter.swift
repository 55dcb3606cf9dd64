internal import Synchronization

/// Writes lines to a file from a thread of its own, so that a slow disk or a pipe that nobody reads holds nobody up. What
/// waits is bounded: lines beyond that are dropped and counted.
package final class LineWriter: Sendable {
    /// Why lines are lost, or the file is not the one that it should be.
    package enum Trouble: Sendable, Equatable {
        /// More waits than may.
        case behind
        case cannotWrite(Errno)
        /// What was open stays in use.
        case cannotReopen(Errno)
    }

    struct State {
        var waiting: [Batch] = []
        /// Bytes that wait or are being written.
        var bytes = 0
        /// Lines that were lost and not told of by a line.
        var lost = 0
        /// Lines that were lost and not told of by `tell`.
        var untold = 0
        /// When `tell` was last called, in milliseconds.
        var toldAt: UInt64?
        var mustReopen = false
        /// Writing ends when nothing waits any more, or at this time.
        var endsAt: UInt64?
        var hasEnded = false
    }

    /// Whole lines.
    struct Batch {
        let bytes: [UInt8]
        let lines: Int
        /// Lines lost before that the first of these tells of.
        let told: Int
    }

    /// Is told of a trouble and how many lines it cost since it was told last; at most once a minute.
    package typealias Tell = @Sendable (Trouble, _ lost: Int) -> Void

    private let state: Monitor<State>
    private let limit: Int
    private let tell: Tell

    fileprivate static let silenceMilliseconds: UInt64 = 60_000
    private static let lookMilliseconds: UInt64 = 1000

    /// - Parameters:
    ///   - limit: bytes that may wait.
    ///   - tell: called from any thread.
    package init(_ file: consuming AppendedFile, limit: Int = 4 << 20, tell: @escaping Tell) {
        let state = Monitor(State())
        self.state = state
        self.limit = limit
        self.tell = tell
        let file = Mutex(file)
        // The thread holds the state, not the writer: one that waits for a disk does not keep the writer alive.
        _ = LoopThread(name: "sluice-lines") {
            System.blockBrokenPipe()
            file.withLock { file in LineWriter.write(to: &file, state, tell) }
        }
    }

    deinit { end(at: 0) }

    /// Hands lines over. Never waits.
    /// - Parameters:
    ///   - lines: how many these are.
    ///   - told: lines that were lost before and that these tell of.
    package func post(_ bytes: [UInt8], lines: Int, tellingOf told: Int = 0) {
        let lost: Int? = state.withLock { state in
            guard state.endsAt == nil, bytes.count <= limit - state.bytes else {
                state.lost += told
                return state.lose(lines, now: Self.now)
            }
            state.bytes += bytes.count
            state.waiting.append(Batch(bytes: bytes, lines: lines, told: told))
            return nil
        }
        if let lost { tell(.behind, lost) } else { state.broadcast() }
    }

    /// Lines that were lost since this was asked last; whoever asks tells of them.
    package func takeLost() -> Int {
        state.withLock { state in
            defer { state.lost = 0 }
            return state.lost
        }
    }

    /// Opens the file again before more is written.
    package func reopen() {
        state.withLock { $0.mustReopen = true }
        state.broadcast()
    }

    /// Writes what waits and ends. Blocks its thread, for so long at most; what could not be written then is lost.
    package func finish(withinMilliseconds time: UInt64) {
        let until = Self.now &+ time
        end(at: until)
        state.waiting { state in
            state.hasEnded || Self.now >= until ? .done(()) : .wait(untilMilliseconds: until)
        }
    }

    private func end(at time: UInt64) {
        state.withLock { $0.endsAt = min($0.endsAt ?? time, time) }
        state.broadcast()
    }

    private static var now: UInt64 { System.monotonicNanoseconds() / 1_000_000 }

    // MARK: The thread

    private static func write(to file: inout AppendedFile, _ state: Monitor<State>, _ tell: Tell) {
        var lookedAt = now
        var isBroken = false
        while let work = next(state) {
            if work.reopen || now >= lookedAt &+ lookMilliseconds {
                lookedAt = now
                do throws(Errno) {
                    if work.reopen { try file.reopen() } else { try file.reopenIfMoved() }
                } catch {
                    report(.cannotReopen(error), lost: 0, state, tell)
                }
            }
            for batch in work.batches { write(batch, to: file, &isBroken, state, tell) }
        }
        state.withLock { $0.hasEnded = true }
        state.broadcast()
    }

    private static func next(_ state: Monitor<State>) -> (batches: [Batch], reopen: Bool)? {
        state.waiting { state in
            guard state.waiting.isEmpty, !state.mustReopen else {
                defer {
                    state.waiting = []
                    state.mustReopen = false
                }
                return .done((state.waiting, state.mustReopen))
            }
            return state.endsAt != nil ? .done(nil) : .wait(untilMilliseconds: .max)
        }
    }

    private static func write(
        _ batch: Batch, to file: borrowing AppendedFile, _ isBroken: inout Bool, _ state: Monitor<State>, _ tell: Tell
    ) {
        // Behind the half of a line that is in the file already.
        let bytes = isBroken ? [0x0A] + batch.bytes : batch.bytes
        let outcome = file.append(bytes) { state.withLock { now < $0.endsAt ?? .max } }
        state.withLock { $0.bytes -= batch.bytes.count }
        switch outcome {
        case .written: isBroken = false
        case .gaveUp(let written), .failed(_, let written):
            if written > 0 { isBroken = bytes[written - 1] != 0x0A } else { state.withLock { $0.lost += batch.told } }
            let lost = bytes[written...].reduce(0) { $1 == 0x0A ? $0 + 1 : $0 }
            guard case .failed(let errno, _) = outcome else { return }
            report(.cannotWrite(errno), lost: min(lost, batch.lines), state, tell)
        }
    }

    private static func report(_ trouble: Trouble, lost: Int, _ state: Monitor<State>, _ tell: Tell) {
        if let lost = state.withLock({ $0.lose(lost, now: now) }) { tell(trouble, lost) }
    }
}

extension LineWriter.State {
    /// Counts lines that are lost.
    /// - Returns: how many are to be told of, if it is time to tell.
    fileprivate mutating func lose(_ lines: Int, now: UInt64) -> Int? {
        lost += lines
        untold += lines
        if let toldAt, now < toldAt &+ LineWriter.silenceMilliseconds { return nil }
        toldAt = now
        defer { untold = 0 }
        return untold
    }
}
