import SluiceSSE
import Testing

@testable import Sluice

@Suite struct CarriedIDTests {
    private func event(_ id: String, own: Bool) -> ParsedEvent {
        ParsedEvent(data: [0x78], lastEventID: Array(id.utf8), hasOwnID: own)
    }

    private func taken(_ carried: inout CarriedID, _ id: String, own: Bool = false) -> String? {
        carried.take(event(id, own: own)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `an own id goes along, one from before does not`() {
        var carried = CarriedID()
        #expect(taken(&carried, "") == nil)
        #expect(taken(&carried, "1", own: true) == "1")
        #expect(taken(&carried, "1") == nil)
        #expect(taken(&carried, "1", own: true) == "1")
    }

    @Test func `an id that came without data goes along with the next event`() {
        var carried = CarriedID()
        #expect(taken(&carried, "7") == "7")
        #expect(taken(&carried, "7") == nil)
    }

    @Test func `an empty id takes back`() {
        var carried = CarriedID()
        #expect(taken(&carried, "1", own: true) == "1")
        #expect(taken(&carried, "", own: true) == "")
        #expect(taken(&carried, "") == nil)
        #expect(taken(&carried, "2", own: true) == "2")
        #expect(taken(&carried, "") == "")
    }

    @Test func `the id of a duplicate goes along with nothing`() {
        var carried = CarriedID()
        #expect(taken(&carried, "5", own: true) == "5")
        carried.droppedDuplicate()
        #expect(taken(&carried, "4") == nil)
        #expect(taken(&carried, "6", own: true) == "6")
        #expect(taken(&carried, "6") == nil)
    }
}
