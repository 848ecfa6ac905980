internal import CLibrdkafka

/// Collects what librdkafka's callbacks report until the application polls.
///
/// Callbacks are served inside calls of the owning thread only (all queues are polled there), so nothing is locked.
/// Bounded: when full, the oldest log line or statistics goes first, a fatal error last.
final class EventInbox {
    private static let capacity = 256
    private var events: [ClientEvent] = []
    private var nextIndex = 0

    /// The oldest event; nil when there is none.
    func take() -> ClientEvent? {
        guard nextIndex < events.count else { return nil }
        defer {
            nextIndex += 1
            if nextIndex == events.count {
                events.removeAll(keepingCapacity: true)
                nextIndex = 0
            }
        }
        return events[nextIndex]
    }

    func add(_ event: ClientEvent) {
        if events.count - nextIndex >= Self.capacity {
            events.removeSubrange(0..<nextIndex)
            nextIndex = 0
            makeRoom()
        }
        events.append(event)
    }

    /// Removes the oldest event that is not an error; if all are errors, the oldest that is not fatal.
    private func makeRoom() {
        let victim =
            events.firstIndex { if case .error = $0 { false } else { true } }
            ?? events.firstIndex { if case .error(let error) = $0 { !error.isFatal } else { true } } ?? 0
        events.remove(at: victim)
    }
}

extension EventInbox {
    /// Adds what `error_cb` reported. A fatal error is replaced by the one that caused it.
    func addError(client: OpaquePointer, code: rd_kafka_resp_err_t, reason: UnsafePointer<CChar>?, operation: String) {
        if code == RD_KAFKA_RESP_ERR__FATAL, let cause = ClientHandle.fatalError(of: client) {
            add(.error(cause))
            return
        }
        add(
            .error(
                KafkaError(code: .init(code), message: reason.map { String(cString: $0) }, operation: operation)))
    }

    func addStatistics(_ json: UnsafePointer<CChar>, length: Int) {
        add(.statistics([UInt8](UnsafeRawBufferPointer(start: json, count: length))))
    }

    func addLog(level: Int32, facility: UnsafePointer<CChar>?, message: UnsafePointer<CChar>?) {
        add(
            .log(
                LogLine(
                    level: Int(level), facility: facility.map { String(cString: $0) } ?? "",
                    message: message.map { String(cString: $0) } ?? "")))
    }
}
