import Retraining

/// Anything that carries the name of a trained version.
protocol Versioned {
    var version: String { get }
}

extension Forecaster: Versioned {}

/// Which version serves, which replaced one goes on predicting beside it, and which one is about to take over.
struct Deployment<Model: Versioned> {
    private(set) var serving: Model
    /// The replaced version and when it stops.
    private(set) var shadow: (model: Model, until: Milliseconds)?
    private var pending: (model: Model, from: Milliseconds, isRollback: Bool)?
    /// How long a replaced version goes on.
    var shadowDuration: Milliseconds

    init(serving: Model, shadowDuration: Milliseconds) {
        self.serving = serving
        self.shadowDuration = shadowDuration
    }

    var hasPending: Bool { pending != nil }

    /// Puts `model` into service at `time`.
    mutating func deploy(_ model: Model, from time: Milliseconds) {
        pending = (model, time, false)
    }

    /// Puts the replaced version back into service at `time`.
    ///
    /// - Parameter askedAt: the replaced version must still have been predicting then.
    /// - Returns: the version that comes back; nil where none is left, or another one is about to take over.
    mutating func rollBack(askedAt: Milliseconds, from time: Milliseconds) -> String? {
        guard let shadow, pending == nil, askedAt < shadow.until else { return nil }
        pending = (shadow.model, time, true)
        return shadow.model.version
    }

    /// Moves to `now`.
    /// - Returns: whether another version serves from now on.
    @discardableResult
    mutating func advance(to now: Milliseconds) -> Bool {
        if let shadow, now >= shadow.until { self.shadow = nil }
        guard let next = pending, now >= next.from else { return false }
        pending = nil
        let replaced = serving
        serving = next.model
        shadow =
            next.isRollback || replaced.version == serving.version ? nil : (replaced, now + shadowDuration)
        return replaced.version != serving.version
    }
}
