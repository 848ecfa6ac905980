/// The names that one unit of the state speaks of, in the order of their bytes: in the unit, a name is its index here.
/// Numbers of names are this process's own and never written.
struct NameDictionary {
    /// By index.
    let numbers: [Int32]
    /// By number.
    private let indexes: [Int32]

    /// - Parameter numbers: of names in the table, any number of times each; negative ones are left out.
    init(_ numbers: [Int32], in table: NameTable) {
        var isUsed = [Bool](repeating: false, count: table.upperBound)
        var distinct: [Int32] = []
        for number in numbers where number >= 0 && !isUsed[Int(number)] {
            isUsed[Int(number)] = true
            distinct.append(number)
        }
        distinct.sort { table.precedes($0, $1) }
        var indexes = [Int32](repeating: -1, count: table.upperBound)
        for (index, number) in distinct.enumerated() { indexes[Int(number)] = Int32(index) }
        self.numbers = distinct
        self.indexes = indexes
    }

    func index(_ number: Int32) -> Int { Int(indexes[Int(number)]) }

    /// One above the index; 0 where there is no name.
    func indexOrNone(_ number: Int32) -> Int { number < 0 ? 0 : index(number) + 1 }

    func encode(_ table: NameTable, into writer: inout StateWriter) {
        writer.count(numbers.count)
        for number in numbers { table.withBytes(number) { writer.text($0) } }
    }
}

extension StateReader {
    /// Numbers by index of the names of a dictionary.
    mutating func names(_ intern: (BorrowedText) -> Int32) throws(StateError) -> [Int32] {
        var numbers: [Int32] = []
        var last: UnsafeBufferPointer<UInt8>?
        let count = try count()
        numbers.reserveCapacity(count)
        for _ in 0..<count {
            let name = try borrowedText()
            if let last, !last.lexicographicallyPrecedes(name) { throw failure("names are not in order") }
            last = name
            numbers.append(intern(BorrowedText(base: name.baseAddress, count: name.count)))
        }
        return numbers
    }

    /// A number by its index in a dictionary.
    mutating func number(_ numbers: [Int32]) throws(StateError) -> Int32 {
        numbers[try index(below: numbers.count)]
    }

    /// The same, -1 for none.
    mutating func numberOrNone(_ numbers: [Int32]) throws(StateError) -> Int32 {
        let index = try index(below: numbers.count + 1)
        return index == 0 ? -1 : numbers[index - 1]
    }
}
