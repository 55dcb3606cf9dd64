import Sluice
import SluiceIO
import Testing

@Suite struct `Seats of streams` {
    @Test func `a client has so many, and those that it leaves are free again`() throws {
        let seats = StreamSeats(most: 2)
        let (one, other) = (LimitKey(IPAddress(v4: 1)), LimitKey(IPAddress(v4: 2)))
        let first = try #require(seats.take(one))
        let second = try #require(seats.take(one))
        #expect(seats.take(one) == nil)
        let third = try #require(seats.take(other))
        first.leave()
        let fourth = try #require(seats.take(one))
        #expect(seats.take(one) == nil)
        for seat in [second, third, fourth] { seat.leave() }
        #expect(seats.clients == 0)
    }
}
