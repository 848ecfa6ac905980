/// A point in time after which a call gives up.
struct Deadline {
    private let end: ContinuousClock.Instant?

    /// - Parameter milliseconds: negative never passes.
    init(milliseconds: Int) {
        end = milliseconds < 0 ? nil : .now + .milliseconds(milliseconds)
    }

    var hasPassed: Bool {
        end.map { .now >= $0 } ?? false
    }
}
