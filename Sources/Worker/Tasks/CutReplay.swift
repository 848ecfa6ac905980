import Contracts
import Retraining
import StateRecords

/// Evaluations that were done before, in the order in which they are done again.
struct CutReplay {
    private(set) var cuts: [CutRecord]
    private(set) var next = 0
    /// When its progress was last told; monotonic.
    private var lastTold: Milliseconds

    init(_ cuts: [CutRecord], now: Milliseconds) {
        self.cuts = cuts
        lastTold = now
    }

    /// How far it has come, where that has not been told for 5 s.
    mutating func progress(now: Milliseconds) -> String? {
        guard now - lastTold >= 5_000 else { return nil }
        lastTold = now
        return "\(next) of \(cuts.count) evaluations done again so far"
    }

    var current: CutRecord? { next < cuts.count ? cuts[next] : nil }
    mutating func advance() { next += 1 }
}

extension ActiveTask {
    /// Reads on to the current cut and does its evaluation once everything it had seen is there, without effects.
    /// False where more has to come first.
    func replayStep() throws -> Bool {
        if let progress = replay?.progress(now: environment.monotonicClock()) { logger.info("\(name)\(progress)") }
        guard let cut = replay?.current else {
            endReplay()
            return true
        }
        for lane in cut.lanes {
            guard let input = input(lane.topic, lane.partition) else { continue }
            read(input, below: lane.nextOffset)
            guard engine.nextOffset(lane: input.lane) >= lane.nextOffset || input.seenThrough >= lane.nextOffset else {
                return false
            }
        }
        effects.removeAll(keepingCapacity: true)
        engine.isReplaying = true
        engine.evaluate(
            at: cut.boundary, wallClock: cut.wallClock, streamTime: cut.streamTime,
            published: cut.requests.compactMap(PublishedRequest.init), into: &effects)
        for case .decision(let decision) in effects {
            lastTold[decision.model] = ToldDecision(decision)
            observe(decision)
        }
        replay?.advance()
        return true
    }

    private func endReplay() {
        replay = nil
        engine.isReplaying = false
        countedBefore = engine.counters
        engine.restore(stallAlert: restoredStallAlert)
        merge = Merge(interval: options.engine.drift.checkInterval, lastBoundary: engine.lastBoundary)
        logger.info(
            """
            \(name)restored: \(checkpoints.cutCount) evaluations done again, \(engine.modelCount) models as of \
            \(engine.lastBoundary.flatMap(Timestamp.text) ?? "the beginning")
            """)
    }

    func input(_ topic: String, _ partition: Int32) -> InputPartition? {
        inputs.first { $0.partition.topic == topic && $0.partition.partition == partition }
    }
}

extension CutRecord {
    /// The first sendings among what an evaluation asked for.
    static func requests(_ effects: [Effect]) -> [Request] {
        effects.compactMap { effect in
            guard case .request(let request) = effect, request.attempt == 1 else { return nil }
            return Request(model: request.model, reason: request.reason.rawValue, requestID: request.requestID)
        }
    }
}

extension PublishedRequest {
    init?(_ request: CutRecord.Request) {
        guard let reason = Reason(rawValue: request.reason) else { return nil }
        self.init(model: request.model, reason: reason, requestID: request.requestID)
    }
}
