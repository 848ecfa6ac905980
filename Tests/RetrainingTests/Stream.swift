@testable import Retraining

/// One record as a test writes it, with owned text.
struct StreamRecord: Sendable {
    enum Payload: Sendable {
        case prediction(
            model: String, version: String, entity: String, at: Milliseconds, issuedAt: Milliseconds, isShadow: Bool,
            values: [Value])
        case actual(model: String, entity: String, at: Milliseconds, values: [Value])
        case load(pool: String, entity: String, at: Milliseconds, cpu: Double?, rate: Double?, incident: Bool?)
        case status(TrainingStatusRecord)
        case command(CommandRecord)
        /// A record that nobody could read.
        case broken
    }

    struct Value: Sendable, Equatable {
        var metric: String
        var value: Double
        init(_ metric: String, _ value: Double) {
            self.metric = metric
            self.value = value
        }
    }

    var partition: Int32 = 0
    var timestamp: Milliseconds
    var payload: Payload

    var role: InputRole {
        switch payload {
        case .prediction, .broken: .predictions
        case .actual: .actuals
        case .load: .load
        case .status: .trainingStatus
        case .command: .commands
        }
    }

    var topic: String {
        switch role {
        case .predictions: "predictions"
        case .actuals: "actuals"
        case .load: "load"
        case .trainingStatus: "training-status"
        case .commands: "driftgate-commands"
        }
    }
}

extension StreamRecord {
    /// A prediction that was issued when its record was written, unless told otherwise.
    static func prediction(
        _ model: String = "m", version: String = "v1", entity: String = "srv-1", at: Milliseconds,
        issuedAt: Milliseconds? = nil, isShadow: Bool = false, _ values: KeyValuePairs<String, Double>,
        time: Milliseconds, partition: Int32 = 0
    ) -> StreamRecord {
        StreamRecord(
            partition: partition, timestamp: time,
            payload: .prediction(
                model: model, version: version, entity: entity, at: at, issuedAt: issuedAt ?? .unknownTime,
                isShadow: isShadow, values: values.map { Value($0.key, $0.value) }))
    }

    static func actual(
        _ model: String = "m", entity: String = "srv-1", at: Milliseconds, _ values: KeyValuePairs<String, Double>,
        time: Milliseconds, partition: Int32 = 0
    ) -> StreamRecord {
        StreamRecord(
            partition: partition, timestamp: time,
            payload: .actual(model: model, entity: entity, at: at, values: values.map { Value($0.key, $0.value) }))
    }

    static func load(
        pool: String = "", entity: String = "host-1", cpu: Double? = nil, rate: Double? = nil, incident: Bool? = nil,
        time: Milliseconds, at: Milliseconds? = nil, partition: Int32 = 0
    ) -> StreamRecord {
        StreamRecord(
            partition: partition, timestamp: time,
            payload: .load(pool: pool, entity: entity, at: at ?? time, cpu: cpu, rate: rate, incident: incident))
    }

    static func status(
        _ id: String, _ status: TrainingStatusRecord.Status, version: String? = nil,
        baseline: [String: QuantileSummary] = [:], time: Milliseconds, partition: Int32 = 0
    ) -> StreamRecord {
        StreamRecord(
            partition: partition, timestamp: time,
            payload: .status(
                TrainingStatusRecord(requestID: id, status: status, modelVersion: version, baseline: baseline)))
    }

    static func command(
        _ kind: CommandRecord.Kind, model: String? = "m", requestID: String? = nil, time: Milliseconds
    ) -> StreamRecord {
        StreamRecord(
            timestamp: time,
            payload: .command(CommandRecord(kind: kind, model: model, requestID: requestID, reason: "test", by: "ops")))
    }
}

/// Bytes of several strings in one place, borrowed for the length of one call.
struct TextArena {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ text: String) -> Range<Int> {
        let start = bytes.count
        bytes += Array(text.utf8)
        return start..<bytes.count
    }
}

extension UnsafeBufferPointer<UInt8> {
    func text(_ range: Range<Int>) -> BorrowedText {
        BorrowedText(base: baseAddress.map { $0 + range.lowerBound }, count: range.count)
    }
}
