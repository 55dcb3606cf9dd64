import Testing

@testable import Sluice

@Suite struct CommandLifeTests {
    private func running() -> CommandLife {
        var life = CommandLife()
        life.started()
        return life
    }

    @Test func `a command that ends is let go once its output is taken`() {
        var life = running()
        #expect(life.outputEnded(at: 10) == .nothing)
        #expect(life.exited(at: 11) == .finish)
        life.finished()
        #expect(life.phase == .waiting)
        #expect(life.deadline == nil)
        // The other order too.
        life.started()
        #expect(life.exited(at: 20) == .terminate)
        #expect(life.outputEnded(at: 21) == .finish)
    }

    @Test func `what it leaves behind is asked to end, then killed, and holds nothing up`() {
        var life = running()
        #expect(life.exited(at: 1000) == .terminate)
        #expect(life.timer(at: 1999) == .nothing)
        #expect(life.timer(at: 2000) == .kill)
        #expect(life.timer(at: 2200) == .finish)
        #expect(life.deadline == nil)
    }

    @Test func `a command that closed its output has a moment, then is asked, then killed`() {
        var life = running()
        #expect(life.outputEnded(at: 0) == .nothing)
        #expect(life.timer(at: 999) == .nothing)
        #expect(life.timer(at: 1000) == .terminate)
        #expect(life.timer(at: 5999) == .nothing)
        #expect(life.timer(at: 6000) == .kill)
        #expect(life.exited(at: 6001) == .finish)
    }

    @Test func `a stop asks, kills after the grace, and nothing is started again`() {
        var life = running()
        #expect(life.stop(at: 0, graceMilliseconds: 60_000) == .terminate)
        #expect(life.deadline == 5000)
        #expect(life.stop(at: 1, graceMilliseconds: 0) == .nothing)
        // What it started has the rest of the grace.
        #expect(life.exited(at: 100) == .nothing)
        #expect(life.deadline == 5000)
        #expect(life.timer(at: 5000) == .kill)
        #expect(life.outputEnded(at: 5001) == .finish)
        life.finished()
        #expect(life.phase == .over)
        life.started()
        #expect(life.phase == .over)
    }

    @Test func `a stop shortens what goes on already`() {
        var life = running()
        _ = life.outputEnded(at: 0)
        _ = life.timer(at: 1000)
        #expect(life.stop(at: 1000, graceMilliseconds: 100) == .nothing)
        #expect(life.timer(at: 1100) == .kill)
    }

    @Test func `a stop before a start is all there is`() {
        var life = CommandLife()
        #expect(life.stop(at: 0, graceMilliseconds: 100) == .nothing)
        #expect(life.phase == .over)
    }

    @Test func `a process that the kernel holds is killed again, until it is gone`() {
        var life = running()
        _ = life.stop(at: 0, graceMilliseconds: 0)
        #expect(life.timer(at: 0) == .kill)
        #expect(life.timer(at: 200) == .kill)
        #expect(life.timer(at: 1200) == .kill)
        #expect(life.exited(at: 1300) == .nothing)
        #expect(life.timer(at: 1500) == .finish)
    }

    @Test func `what is said twice, or out of turn, counts once`() {
        var life = CommandLife()
        #expect(life.exited(at: 0) == .nothing)
        #expect(life.outputEnded(at: 0) == .nothing)
        #expect(life.timer(at: .max) == .nothing)
        life.started()
        #expect(life.exited(at: 0) == .terminate)
        #expect(life.exited(at: 5) == .nothing)
        #expect(life.deadline == 1000)
    }
}
