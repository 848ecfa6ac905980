import Contracts
package import Retraining
package import StateRecords

/// What one evaluation of a replay gave.
package struct Evaluation {
    package var boundary: Milliseconds
    package var effects: [Effect]
    /// Before the time asked for: only fills windows, baselines and profiles.
    package var isWarmUp: Bool
    /// As the evaluation left it.
    package var engine: Engine
}

/// The engine over history: the same engine, the same order of records and the same boundaries as the worker's.
///
/// Without cuts, boundaries follow from the records alone (`Merge`), with no wall clock: the same history gives the same
/// bytes. With the cuts of a live run, each of its evaluations is done again with exactly the records and the wall clock
/// that it had.
package final class Replayer {
    package struct Options: Sendable {
        /// Evaluations before it trigger nothing: the wall clock is told to lie far ahead, as at a worker's first start.
        package var decidesFrom: Milliseconds?
        /// Evaluations of a live run, in order; nil finds boundaries by the records.
        package var cuts: [CutRecord]?

        /// The state to begin with; nil is none.
        package var units: [(key: String, bytes: [UInt8])]?
        /// The models whose records are taken; nil takes all.
        package var share: ModelShare?

        package init(
            decidesFrom: Milliseconds? = nil, cuts: [CutRecord]? = nil, units: [(key: String, bytes: [UInt8])]? = nil
        ) {
            self.decidesFrom = decidesFrom
            self.cuts = cuts
            self.units = units
        }
    }

    private struct Lane {
        let description: LaneDescription
        let number: Int
        var batch: HistoryBatch?
        var cursor = 0
        var held: Milliseconds?
        var hasEnded = false
        /// Refused in the live run for reasons that do not follow from the records.
        var skips = OffsetRanges()

        var next: HistoryBatch.Entry? {
            guard let batch, cursor < batch.entries.count else { return nil }
            return batch.entries[cursor]
        }
    }

    package let engine: Engine
    private let options: Options
    private var lanes: [Lane]
    private var merge: Merge
    private var effects: [Effect] = []
    /// Merge times of the predictions and actuals before the first evaluation: the least and the greatest.
    private var firstTaken: Milliseconds?
    private var lastTaken: Milliseconds?
    /// Records that the engine refused, by reason; the first of them with their place.
    package private(set) var refusals = SourceFindings()
    package private(set) var evaluations = 0

    /// - Throws: `StateError` where the state to begin with cannot be read.
    package init(
        configuration: EngineConfiguration, lanes: [LaneDescription], options: Options = Options()
    ) throws {
        let engine: Engine
        if let units = options.units {
            engine = try Engine(configuration: configuration, restoring: units)
        } else {
            engine = Engine(configuration: configuration)
        }
        self.engine = engine
        self.options = options
        self.lanes = lanes.map { lane in
            let number = engine.lane(topic: lane.topic, partition: lane.partition, role: lane.role)
            engine.begin(lane: number, at: lane.begin)
            return Lane(description: lane, number: number)
        }
        merge = Merge(interval: configuration.drift.checkInterval, lastBoundary: engine.lastBoundary)
        guard let cuts = options.cuts else { return }
        engine.isReplaying = true
        for index in self.lanes.indices {
            let lane = self.lanes[index].description
            for skipped in cuts.flatMap(\.skipped)
            where skipped.topic == lane.topic && skipped.partition == lane.partition {
                self.lanes[index].skips.formUnion(OffsetRanges(skipped.ranges))
            }
        }
    }

    /// Takes everything that the feed brings.
    ///
    /// - Parameter note: is given each evaluation; false ends the replay.
    package func run(_ feed: HistoryFeed, consumer: Int = 0, _ note: (Evaluation) throws -> Bool) throws {
        defer { feed.leave(consumer: consumer) }
        if let cuts = options.cuts {
            for (index, cut) in cuts.enumerated() {
                try collect(upTo: cut, feed, consumer)
                if index == 0 { try checkBeginning(cut) }
                guard try evaluate(cut.boundary, cut.wallClock, cut.streamTime, note) else { return }
            }
            return
        }
        while true {
            for index in lanes.indices { try collect(index, feed, consumer) { isBehindGate(&$0, $1) } }
            let heads = lanes.map {
                Merge.Head(
                    advancesStreamTime: $0.description.role.advancesStreamTime, held: $0.held, isIdle: $0.hasEnded)
            }
            switch merge.step(heads) {
            case .wait:
                let missing = lanes.indices.filter { lanes[$0].held == nil && !lanes[$0].hasEnded }
                if missing.isEmpty { return }
                try feed.wait(consumer: consumer, lanes: missing)
            case .proceed: release()
            case .evaluate(let boundary):
                release()
                guard try evaluate(boundary, nil, merge.streamTime, note) else { return }
            }
        }
    }

    private func release() {
        for index in lanes.indices {
            if let held = lanes[index].held, !merge.isBehindGate(held) { lanes[index].held = nil }
        }
    }

    private func isBehindGate(_ lane: inout Lane, _ entry: HistoryBatch.Entry) -> Bool {
        let time = engine.mergeTime(lane: lane.number, timestamp: timestamp(entry, lane.number))
        // What nobody could read at a lane's beginning has no time: it holds nobody up.
        guard time != .unknownTime, merge.isBehindGate(time) else { return false }
        lane.held = time
        return true
    }

    /// A record without a Kafka timestamp is as old as the one before it; without one before it, as old as it says.
    private func timestamp(_ entry: HistoryBatch.Entry, _ lane: Int) -> Milliseconds {
        guard entry.timestamp == .unknownTime else { return entry.timestamp }
        let before = engine.mergeTime(lane: lane, timestamp: .unknownTime)
        return before == .unknownTime ? entry.ownTime : before
    }

    private func evaluate(
        _ boundary: Milliseconds, _ wallClock: Milliseconds?, _ streamTime: Milliseconds?,
        _ note: (Evaluation) throws -> Bool
    ) throws -> Bool {
        let isWarmUp = options.decidesFrom.map { boundary < $0 } ?? false
        effects.removeAll(keepingCapacity: true)
        engine.evaluate(
            at: boundary, wallClock: isWarmUp ? boundary + 36_500 * .day : wallClock, streamTime: streamTime,
            into: &effects)
        evaluations += 1
        return try note(Evaluation(boundary: boundary, effects: effects, isWarmUp: isWarmUp, engine: engine))
    }

    /// The first evaluation follows the first record that crosses a boundary. Where records had crossed earlier ones,
    /// there were evaluations that are not on record any more.
    private func checkBeginning(_ cut: CutRecord) throws {
        guard options.units == nil, let first = firstTaken, let last = lastTaken else { return }
        let interval = engine.configuration.drift.checkInterval
        guard last >= first.floored(to: interval) + interval else { return }
        throw ReplayError(
            "the first evaluation that is on record is that of \(Figures.time(cut.boundary)) UTC, and the history begins "
                + "at \(Figures.time(first)): those in between were compacted away. Begin with the last snapshot (--from-snapshot), or replay without "
                + "--cuts")
    }

    // MARK: Collecting

    /// Reads every lane up to where a live evaluation had read it.
    private func collect(upTo cut: CutRecord, _ feed: HistoryFeed, _ consumer: Int) throws {
        for index in lanes.indices {
            let lane = lanes[index].description
            guard let end = cut.lanes.first(where: { $0.topic == lane.topic && $0.partition == lane.partition })
            else { continue }
            while true {
                try collect(index, feed, consumer) { _, entry in entry.offset >= end.nextOffset }
                if lanes[index].next != nil || lanes[index].hasEnded { break }
                if engine.nextOffset(lane: lanes[index].number) >= end.nextOffset { break }
                try feed.wait(consumer: consumer, lanes: [index])
            }
        }
    }

    /// Takes records of one lane until there are no more, or one has to wait.
    private func collect(
        _ index: Int, _ feed: HistoryFeed, _ consumer: Int,
        until mustWait: (inout Lane, HistoryBatch.Entry) -> Bool
    ) throws {
        guard lanes[index].held == nil else { return }
        while true {
            while let batch = lanes[index].batch, lanes[index].cursor < batch.entries.count {
                let entry = batch.entries[lanes[index].cursor]
                if mustWait(&lanes[index], entry) { return }
                take(entry, batch, index)
                lanes[index].cursor += 1
            }
            guard !lanes[index].hasEnded else { return }
            switch try feed.take(consumer: consumer, lane: index) {
            case .batch(let batch):
                lanes[index].batch = batch
                lanes[index].cursor = 0
            case .nothing:
                lanes[index].batch = nil
                return
            case .ended:
                lanes[index].batch = nil
                lanes[index].hasEnded = true
                return
            }
        }
    }

    private func take(_ entry: HistoryBatch.Entry, _ batch: HistoryBatch, _ index: Int) {
        let number = lanes[index].number
        if options.cuts != nil, lanes[index].skips.contains(entry.offset) {
            return engine.skip(lane: number, offset: entry.offset)
        }
        if let share = options.share, !share.holds(entry) { return engine.skip(lane: number, offset: entry.offset) }
        let time = timestamp(entry, number)
        if options.cuts != nil, evaluations == 0, lanes[index].description.role.advancesStreamTime, time != .min {
            firstTaken = min(firstTaken ?? time, time)
            lastTaken = max(lastTaken ?? time, time)
        }
        var refusal: EngineRejection?
        switch entry.kind {
        case .prediction:
            refusal = engine.collect(
                lane: number, offset: entry.offset, timestamp: time,
                prediction: PredictionRecord(
                    model: entry.model, version: entry.version, entity: entry.entity, at: entry.at,
                    issuedAt: entry.issuedAt, isShadow: entry.isShadow, values: batch.values(of: entry)))
        case .actual:
            refusal = engine.collect(
                lane: number, offset: entry.offset, timestamp: time,
                actual: ActualRecord(
                    model: entry.model, entity: entry.entity, at: entry.at, values: batch.values(of: entry)))
        case .load:
            refusal = engine.collect(
                lane: number, offset: entry.offset, timestamp: time,
                load: LoadRecord(
                    pool: entry.pool, entity: entry.entity, at: entry.at,
                    cpuPercent: entry.cpuPercent.isNaN ? nil : entry.cpuPercent,
                    predictionsPerSecond: entry.predictionsPerSecond.isNaN ? nil : entry.predictionsPerSecond,
                    incident: entry.incident))
        case .status, .command:
            switch batch.controls[entry.first] {
            case .status(let status):
                engine.collect(lane: number, offset: entry.offset, timestamp: time, status: status)
            case .command(let command):
                engine.collect(lane: number, offset: entry.offset, timestamp: time, command: command)
            }
        case .refused: engine.skip(lane: number, offset: entry.offset)
        }
        if let refusal {
            let lane = lanes[index].description
            refusals.refuse(Rejection(refusal), at: "\(lane.name), \(lane.word(entry.offset))")
        }
    }
}

extension LaneDescription {
    /// Where a record lies, for a person.
    func word(_ offset: Int64) -> String { name.hasPrefix(topic + "[") ? "offset \(offset)" : "line \(offset + 1)" }
}
