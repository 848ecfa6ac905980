import Contracts
import Foundation
import Kafka
import Retraining
public import Worker

/// How a worker and its models are, as `driftgate status` shows it and `/api/v1/worker` serves it.
public struct StatusReport: Codable, Sendable, Equatable {
    public struct Model: Codable, Sendable, Equatable {
        public var model: String
        public var version: String?
        public var evaluated_at: String?
        /// `trigger` or `hold`.
        public var outcome: String
        public var reason: String
        public var text: String
        public var drift_score: Double?
        public var accuracy: Double?
        public var sla_breached: Bool
        public var quiet: Bool
        public var load: Double?
        public var wait_until: String?
        public var open_request: String?
        public var trainings_in_week: Int
        public var last_training: String?
        public var last_training_assumed: Bool
    }

    public struct Lag: Codable, Sendable, Equatable {
        public var topic: String
        public var records: Int64
    }

    /// `standing_by`, `restoring` or `working`; `starting` before the first word.
    public var phase: String
    public var ready: Bool
    public var caught_up: Bool
    public var at: String?
    public var configuration: String
    public var tasks: Int
    public var stream_time: String?
    public var last_checkpoint: String?
    public var lag: [Lag]
    /// Records refused since the start of the process, by reason.
    public var rejects: [String: UInt64]
    public var models: [Model]

    public init(_ observation: WorkerObservation?, _ lag: [(topic: String, records: Int64)], configuration: String) {
        func text(_ time: Milliseconds?) -> String? { time.flatMap { Timestamp.text($0) } }
        self.configuration = configuration
        let observation = observation ?? WorkerObservation()
        phase = observation.at == 0 ? "starting" : observation.phase.rawValue
        ready = observation.isReady
        caught_up = observation.isCaughtUp
        at = observation.at == 0 ? nil : text(observation.at)
        tasks = observation.tasks
        stream_time = text(observation.streamTime)
        last_checkpoint = text(observation.checkpoints.lastCommitted)
        self.lag = lag.map { Lag(topic: $0.topic, records: $0.records) }
        rejects = observation.rejects.reduce(into: [:]) { $0[$1.key.reason, default: 0] += $1.value }
        models = observation.models.flatMap { $0 }.sorted { $0.key < $1.key }.map { name, model in
            Model(
                model: name, version: model.version, evaluated_at: text(model.evaluatedAt),
                outcome: model.outcome.rawValue, reason: model.reason.rawValue, text: model.text,
                drift_score: model.score, accuracy: model.accuracy, sla_breached: model.isBelowAgreement,
                quiet: model.isQuiet, load: model.load, wait_until: text(model.waitUntil),
                open_request: model.openRequestID, trainings_in_week: model.trainingsInWeek,
                last_training: text(model.lastTraining), last_training_assumed: model.isTrainingAssumed)
        }
    }

    public func json() -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Every number is finite: scores are clamped where they are made.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return (try? encoder.encode(self)).map(Array.init) ?? Array("{}".utf8)
    }

    public init(json: [UInt8]) throws { self = try JSONDecoder().decode(Self.self, from: Data(json)) }
}

extension MetricsPage {
    /// The same as ``render()``, for people.
    public func status() -> StatusReport {
        let lag = observedLag()
        return StatusReport(observation, lag, configuration: currentFingerprint)
    }
}
