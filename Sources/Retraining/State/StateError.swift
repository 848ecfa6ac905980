/// Why a stored state cannot be read: what is wrong, and where.
public struct StateError: Error, Equatable, CustomStringConvertible {
    /// Key of the unit.
    public var unit: String
    /// Bytes of the unit that were read before; nil for what concerns the unit as a whole.
    public var position: Int?
    public var problem: String

    public init(unit: String, position: Int? = nil, problem: String) {
        self.unit = unit
        self.position = position
        self.problem = problem
    }

    public var description: String {
        "state unit \(unit)\(position.map { ", byte \($0)" } ?? ""): \(problem)"
    }
}
