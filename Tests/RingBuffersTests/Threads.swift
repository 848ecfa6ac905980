import Foundation

/// Runs each body on a thread of its own and returns when all have ended.
///
/// By POSIX threads, joined: ThreadSanitizer knows them, and so what happened in a thread happens before the return.
func runThreads(_ bodies: [@Sendable () -> Void]) {
    final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
    let threads = bodies.map { body in
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(Body(body)).toOpaque()
        let result = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, argument)
        precondition(result == 0, "no thread could be created: error \(result)")
        return thread
    }
    for thread in threads { pthread_join(thread, nil) }
}

/// Hands a value that is not `Sendable` to the one thread that will use it.
struct Handover<Value>: @unchecked Sendable {
    let value: Value
}

/// What several threads have found wrong, under a lock that ThreadSanitizer knows (it does not know `Mutex`).
final class Findings: @unchecked Sendable {
    private let lock = NSLock()
    private var messages: [String] = []

    func add(_ message: String) {
        lock.withLock { messages.append(message) }
    }

    /// The first few; there may be thousands.
    var first: [String] {
        lock.withLock { Array(messages.prefix(3)) }
    }
}
