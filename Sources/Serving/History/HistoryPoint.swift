import Contracts
import Retraining

/// One decision, as much of it as a chart needs: 48 bytes. The whole of it stays in its topic, at `offset`.
struct HistoryPoint: BitwiseCopyable, Sendable {
    /// Where the decision is in its topic.
    var offset: Int64
    var partition: Int16
    /// Position in `Reason.allCases`; 255 for a code that this version does not know.
    private var reasonCode: UInt8
    private var flags: UInt8
    /// Seconds since 1970: decisions are made at whole minutes.
    private var seconds: UInt32
    /// NaN where there is none; the same for the figures below.
    var score: Float
    var plainScore: Float
    var accuracy: Float
    var load: Float
    var predictionError: Float
    var distributionShift: Float
    var featureDrift: Float
    var anomalyRate: Float

    init(_ figures: DecisionFigures, partition: Int32, offset: Int64) {
        self.offset = offset
        self.partition = Int16(truncatingIfNeeded: partition)
        reasonCode = figures.reason.flatMap { Self.codes[$0] } ?? 255
        flags = (figures.isTrigger ? 1 : 0) | (figures.isQuiet ? 4 : 0)
        // The engine's word, and not the score against a threshold: the two differ by a rounding.
        flags |= figures.recommendation == "retrain" ? 2 : figures.recommendation == "monitor" ? 8 : 0
        seconds = UInt32(clamping: figures.evaluatedAt / 1000)
        score = Float(figures.score)
        plainScore = Float(figures.plainScore)
        accuracy = Float(figures.accuracy)
        load = Float(figures.load)
        predictionError = Float(figures.predictionError)
        distributionShift = Float(figures.distributionShift)
        featureDrift = Float(figures.featureDrift)
        anomalyRate = Float(figures.anomalyRate)
    }

    var at: Milliseconds { Int64(seconds) * 1000 }
    var isTrigger: Bool { flags & 1 != 0 }
    var wantsTraining: Bool { flags & 2 != 0 }
    /// The score is above the warning threshold, and not above the critical one.
    var isWarning: Bool { flags & 8 != 0 }
    var isQuiet: Bool { flags & 4 != 0 }
    var reason: Reason? { Int(reasonCode) < Reason.allCases.count ? Reason.allCases[Int(reasonCode)] : nil }

    func hasSameReason(as other: HistoryPoint) -> Bool { reasonCode == other.reasonCode }

    private static let codes = Dictionary(
        uniqueKeysWithValues: Reason.allCases.enumerated().map { ($1, UInt8($0)) })
}
