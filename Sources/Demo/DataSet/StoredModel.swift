/// One of the stored models of a recorded entity: the name of its day, and its column.
struct StoredModel: Versioned, Sendable, Equatable {
    var version: String
    var column: Int
}
