import SluiceIO
import Testing

@testable import Sluice

@Suite struct AddressRaceTests {
    private static func address(_ text: String) -> SocketAddress {
        .ip(IPAddress(text) ?? .anyV4, port: 80)
    }

    private let six = ["2001:db8::1", "2001:db8::2", "2001:db8::3"].map(address)
    private let four = ["192.0.2.1", "192.0.2.2"].map(address)

    @Test func `families take turns, the system's first choice begins`() {
        #expect(AddressRace.interleaved(six + four) == [six[0], four[0], six[1], four[1], six[2]])
        #expect(AddressRace.interleaved(four + six) == [four[0], six[0], four[1], six[1], six[2]])
        #expect(AddressRace.interleaved(four) == four)
        #expect(AddressRace.interleaved([]) == [])
    }

    @Test func `the next address is tried 250 ms after the one before`() {
        var race = AddressRace(six + four)
        #expect(race.next(at: 1000) == six[0])
        #expect(race.next(at: 1249) == nil)
        #expect(race.nextTime == 1250)
        #expect(race.next(at: 1250) == four[0])
        #expect(race.next(at: 1250) == nil)
        #expect(race.next(at: 9000) == six[1])
    }

    @Test func `when all that run are lost the next one need not wait`() {
        var race = AddressRace(six)
        _ = race.next(at: 0)
        race.lost()
        #expect(race.next(at: 1) == six[1])
        #expect(race.next(at: 2) == nil)
    }

    @Test func `while another one runs a loss does not hurry the next`() {
        var race = AddressRace(six)
        _ = race.next(at: 0)
        _ = race.next(at: 250)
        race.lost()
        #expect(race.next(at: 251) == nil)
        #expect(race.nextTime == 500)
    }

    @Test func `it is over when nobody runs and nobody waits`() {
        var race = AddressRace(four)
        #expect(!race.isOver)
        _ = race.next(at: 0)
        _ = race.next(at: 250)
        race.lost()
        #expect(!race.isOver)
        race.lost()
        #expect(race.isOver)
        #expect(race.nextTime == nil)
        #expect(AddressRace([]).isOver)
    }

    @Test func `an address that was reached in vain comes last`() {
        var race = AddressRace(four, avoiding: four[0])
        #expect(race.next(at: 0) == four[1])
        #expect(race.next(at: 250) == four[0])
        var alone = AddressRace([four[0]], avoiding: four[0])
        #expect(alone.next(at: 0) == four[0])
    }
}
