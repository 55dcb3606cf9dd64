/// Where an element stands in a slab: its address, with the slab's promise that the element does not move and is not
/// removed while anybody goes by this. Handles (`Token`) are for keeping; places are for the moment, and for what ends
/// before its slab's element does.
@safe struct Place<Element: ~Copyable>: Equatable {
    private let pointer: UnsafeMutablePointer<Element>

    init(_ pointer: UnsafeMutablePointer<Element>) { unsafe self.pointer = pointer }

    static func == (left: Place, right: Place) -> Bool { unsafe left.pointer == right.pointer }

    /// The element itself.
    var value: Element {
        _read { yield unsafe pointer.pointee }
        nonmutating _modify { yield unsafe &pointer.pointee }
    }
}
