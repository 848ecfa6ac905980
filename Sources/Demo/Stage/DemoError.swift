/// What went wrong, and what can be done about it.
struct DemoError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The demo was asked to stop; no fault of anybody.
struct Interrupted: Error {}
