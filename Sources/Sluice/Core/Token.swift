/// A handle to something in a slab: its index, and the generation of that place. A handle that outlived what it named
/// finds another generation there and is dropped, so a late event or timer can never reach a stranger.
struct Token: Hashable, Sendable {
    let index: UInt32
    /// 24 bits: what `Selector` and `TimerWheel` carry is 64 bits, and 8 of them say what kind of thing it is.
    let generation: UInt32

    static let generationMask: UInt32 = 0xFF_FFFF
}

/// What a selector's or a timer's token names.
enum TokenKind: UInt8 {
    case listener = 1
    case connection
    case stream
    case feed
    case mailbox
    case jobs
    case source
    case housekeeping
    case ticks
    case command
    case upstream
    case probe
    case pool
}

extension Token {
    func packed(_ kind: TokenKind) -> UInt64 {
        UInt64(kind.rawValue) << 56 | UInt64(generation & Token.generationMask) << 32 | UInt64(index)
    }

    static func unpack(_ value: UInt64) -> (kind: TokenKind?, token: Token) {
        let kind = TokenKind(rawValue: UInt8(truncatingIfNeeded: value >> 56))
        let generation = UInt32(truncatingIfNeeded: value >> 32) & Token.generationMask
        return (kind, Token(index: UInt32(truncatingIfNeeded: value), generation: generation))
    }
}
