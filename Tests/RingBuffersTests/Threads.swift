import Foundation

/// Runs each body on a thread of its own and returns when all have ended.
func runThreads(_ bodies: [@Sendable () -> Void]) {
    let ended = DispatchSemaphore(value: 0)
    for body in bodies {
        Thread.detachNewThread {
            body()
            ended.signal()
        }
    }
    for _ in bodies { ended.wait() }
}

/// Hands a value that is not `Sendable` to the one thread that will use it.
struct Handover<Value>: @unchecked Sendable {
    let value: Value
}
