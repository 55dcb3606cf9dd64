import ArgumentParser
import Testing

@testable import SluiceCLI

struct CommandTests {
    @Test(arguments: [["fly"], ["check", "a", "b"], ["check", "--unknown"], ["check", "a", "--config", "b"]])
    func `bad usage is refused`(arguments: [String]) {
        #expect { try SluiceCommand.parseAsRoot(arguments) } throws: { !SluiceCommand.exitCode(for: $0).isSuccess }
    }
}
