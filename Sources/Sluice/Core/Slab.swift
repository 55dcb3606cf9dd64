/// A store with handles in place of references: insert, find and remove in constant time, at addresses that stay.
///
/// The fan-out walks places of a slab, so that nothing is retained and nothing is looked up per delivery.
@safe final class Slab<Element: ~Copyable> {
    private static var chunkSize: Int { 128 }
    // Nothing is called while one of these is changed, so there is no overlap to look for at run time, which would cost
    // more than finding an element does.
    @exclusivity(unchecked) private var chunks: [UnsafeMutablePointer<Element>] = unsafe []
    /// Odd: the place is taken.
    @exclusivity(unchecked) private var generations: [UInt32] = []
    @exclusivity(unchecked) private var free: [UInt32] = []
    private(set) var count = 0

    deinit {
        for index in unsafe generations.indices where unsafe generations[index] & 1 == 1 {
            unsafe address(index).deinitialize(count: 1)
        }
        unsafe chunks.forEach { unsafe $0.deallocate() }
    }

    private func address(_ index: Int) -> UnsafeMutablePointer<Element> {
        unsafe chunks[index / Self.chunkSize] + index % Self.chunkSize
    }

    /// The handle that the next element to be inserted will have.
    var nextToken: Token {
        if unsafe free.isEmpty { grow() }
        let index = unsafe free[free.count - 1]
        return unsafe Token(index: index, generation: (generations[Int(index)] &+ 1) & Token.generationMask)
    }

    /// Stores an element.
    /// - Returns: its handle, which is what `nextToken` said.
    @discardableResult
    func insert(_ element: consuming Element) -> Token {
        let token = nextToken
        _ = add(element)
        return token
    }

    /// Stores an element.
    /// - Returns: where it stands; its handle is what `nextToken` said.
    func add(_ element: consuming Element) -> Place<Element> {
        let token = nextToken
        unsafe free.removeLast()
        unsafe generations[Int(token.index)] = token.generation
        let address = unsafe address(Int(token.index))
        unsafe address.initialize(to: element)
        count += 1
        return unsafe Place(address)
    }

    /// Where the element stands; `nil` when the handle is stale.
    func find(_ token: Token) -> Place<Element>? {
        let index = Int(token.index)
        guard unsafe index < generations.count, unsafe generations[index] == token.generation, token.generation & 1 == 1
        else {
            return nil
        }
        return unsafe Place(address(index))
    }

    /// Removes an element; a stale handle removes nothing.
    func remove(_ token: Token) {
        guard find(token) != nil else { return }
        unsafe address(Int(token.index)).deinitialize(count: 1)
        unsafe generations[Int(token.index)] = (token.generation &+ 1) & Token.generationMask
        unsafe free.append(token.index)
        count -= 1
    }

    /// Visits every element. The body may remove elements, the visited one too.
    func forEach(_ body: (Token, Place<Element>) -> Void) {
        var index = 0
        while unsafe index < generations.count {
            let generation = unsafe generations[index]
            if generation & 1 == 1 {
                body(Token(index: UInt32(index), generation: generation), unsafe Place(address(index)))
            }
            index += 1
        }
    }

    private func grow() {
        let first = unsafe generations.count
        unsafe chunks.append(.allocate(capacity: Self.chunkSize))
        unsafe generations.append(contentsOf: repeatElement(0, count: Self.chunkSize))
        unsafe free.append(contentsOf: (first..<first + Self.chunkSize).reversed().map { UInt32($0) })
    }
}
