import ArgumentParser
import Contracts
import Foundation
import Operations
import Replay
import Retraining
import Synchronization

/// A replay from its source to its reports.
struct ReplayRun {
    private let command: ReplayCommand
    private let configurations: ReplayConfigurations

    init(_ command: ReplayCommand, _ configurations: ReplayConfigurations) {
        self.command = command
        self.configurations = configurations
    }

    func run() throws {
        if command.decisions != nil, !configurations.swept.isEmpty {
            throw ReplayError("--decisions writes the decisions of one configuration: leave the sweep out")
        }
        // Files are opened first: a report that cannot be written is said before the work is done.
        let decisions = try command.decisions.map { try AtomicFile(path: $0) }
        let html = try command.html.map { try AtomicFile(path: $0) }
        let json = try command.json.flatMap { $0 == "-" ? nil : try AtomicFile(path: $0) }
        let rejected = try command.rejected.map { try AtomicFile(path: $0) }
        let began = Date()
        var result = try command.history.recordedSet.map { try closedLoop($0, decisions) } ?? stream(decisions)
        result.seconds = Date().timeIntervalSince(began)
        result.price = command.price
        result.currency = command.currency
        if let html { try html.write(HTMLReport.page(result).utf8) }
        if let json { try json.write(SummaryJSON.bytes(result)) }
        if let rejected {
            for refusal in result.findings.first {
                var writer = JSONWriter()
                writer.beginObject()
                writer.field("place", refusal.place)
                writer.field("reason", refusal.rejection.reason.rawValue)
                writer.field("field", refusal.rejection.field)
                writer.field("detail", refusal.rejection.detail)
                writer.endObject()
                try rejected.write(writer.bytes + [0x0A])
            }
        }
        for file in [decisions, html, json, rejected] { try file?.finish() }
        if command.json == "-" {
            FileHandle.standardOutput.write(Data(SummaryJSON.bytes(result)))
        } else {
            for line in SummaryText.lines(result) { print(line) }
        }
    }

    // MARK: Recorded sets

    private func closedLoop(_ directory: String, _ decisions: AtomicFile?) throws -> ReplayResult {
        guard command.history.from == nil, command.history.to == nil else {
            throw ReplayError("a recorded set is replayed whole: its scores are those of its evaluator")
        }
        let set = SetReplay(
            try RecordedSet(directory: directory, family: command.history.family), scheduleHour: command.scheduleHour)
        let all = [configurations.current] + configurations.swept.map(\.configuration)
        let jobs = Int64(all.count * set.set.entities.count)
        let done = Atomic<Int64>(0)
        let written = Mutex<(any Error)?>(nil)
        return try command.withProgress(total: jobs, look: { (done.load(ordering: .relaxed), 0) }) {
            let totals = set.run(all.map(\.engine), isSerial: decisions != nil) {
                done.add(1, ordering: .relaxed)
            } note: { index, effects in
                guard let decisions, index == 0 else { return true }
                return written.withLock { failure in
                    do {
                        try Self.write(effects, to: decisions)
                        return true
                    } catch {
                        failure = error
                        return false
                    }
                }
            }
            if let failure = written.withLock({ $0 }) { throw failure }
            var result = ReplayResult(
                source: "\(directory) (\(command.history.family))", configuration: all[0].engine,
                fingerprint: all[0].fingerprint, isClosedLoop: true, collector: totals[0].collector)
            result.schedules = set.schedules(totals[0])
            result.frontier = frontier(
                totals.enumerated().map { index, total in
                    let entities = Double(set.set.entities.count)
                    return .init(
                        settings: index == 0 ? [] : configurations.swept[index - 1].settings,
                        trainings: Double(total.trainings) / entities, error: set.againstDaily(total) ?? .nan,
                        inHighLoad: total.inHighLoad, isCurrent: false)
                })
            result.findings.records = set.set.entities.reduce(0) { $0 + $1.actuals.count * $1.metrics.count }
            return result
        }
    }

    // MARK: Streams

    private func stream(_ decisions: AtomicFile?) throws -> ReplayResult {
        let (source, name, options) = try command.source(configurations.current)
        let hasStatuses = options.cuts != nil || source.holdsStatuses
        let all = [configurations.current] + configurations.swept.map(\.configuration)
        let engines = all.map { configurations.engine($0, hasStatuses: hasStatuses) }
        let outcomes = try command.withProgress(of: source) { follow in
            try StreamReplay.run(source, engines, options: options, progress: follow) { evaluation in
                if let decisions, !evaluation.isWarmUp { try Self.write(evaluation.effects, to: decisions) }
                return true
            }
        }
        var findings = source.findings
        let refusals = outcomes[0].refusals
        findings.counts.merge(refusals.counts, uniquingKeysWith: +)
        findings.first += refusals.first
        guard outcomes[0].collector.decisions > 0 else { throw ReplayError(emptiness(findings, outcomes[0])) }
        var result = ReplayResult(
            source: name, configuration: engines[0], fingerprint: all[0].fingerprint, isClosedLoop: false,
            collector: outcomes[0].collector)
        result.findings = findings
        result.schedules =
            [policy(result)] + FixedSchedules.counted(result.models, hour: command.scheduleHour)
        result.frontier = frontier(
            outcomes.enumerated().map { index, outcome in
                let models = outcome.collector.traces.values
                let rated = models.reduce(0) { $0 + $1.rated }
                let trainings = models.flatMap(\.trainings)
                return .init(
                    settings: index == 0 ? [] : configurations.swept[index - 1].settings,
                    trainings: Double(trainings.count) / Double(max(1, models.count)),
                    error: models.reduce(0) { $0 + $1.errorSum } / Double(max(1, rated)),
                    inHighLoad: trainings.count { $0.isHighLoad }, isCurrent: false)
            })
        result.notes = notes(hasStatuses, outcomes[0])
        return result
    }

    private func policy(_ result: ReplayResult) -> ReplayResult.Schedule {
        let trainings = result.trainings
        var schedule = ReplayResult.Schedule(
            name: "this policy", trainings: trainings.count, inHighLoad: trainings.count { $0.isHighLoad })
        schedule.isPolicy = true
        return schedule
    }

    private func notes(_ hasStatuses: Bool, _ outcome: StreamReplay.Outcome) -> [String] {
        var notes = [
            "open loop: the forecasts are those that were made; a training that this replay asks for changes none of them"
        ]
        if !hasStatuses {
            notes.append(
                "the history holds no training statuses: "
                    + (command.trainings == .history
                        ? "every request runs out, since --trainings history assumes none"
                        : "a request counts as trained after training.assumed_duration_hours"))
        }
        let counters = outcome.counters
        for (count, name, consequence) in [
            (counters.predictions, "predictions", "there is nothing to rate"),
            (
                counters.actuals, "actuals",
                "no error and no drift can be measured, and nothing but age asks for a training"
            ),
            (counters.load, "load", "quiet hours are those of quiet.fallback_hours"),
        ] where count == 0 { notes.append("no \(name) could be read: \(consequence)") }
        let late = counters.latePredictions + counters.lateActuals
        if late > 0 { notes.append("\(Figures.grouped(Int(late))) values came too late to be joined") }
        return notes
    }

    private func emptiness(_ findings: SourceFindings, _ outcome: StreamReplay.Outcome) -> String {
        if findings.records == 0 {
            guard findings.outside > 0 else { return "the history is empty" }
            let times = findings.outsideTimes.map {
                ": what was read lies from \(Figures.time($0.lowerBound)) to \(Figures.time($0.upperBound)) UTC"
            }
            return "no record lies in the range\(times ?? "")"
        }
        if findings.records == findings.refused {
            let first = findings.first[0]
            return "none of \(findings.records) records could be read; the first, \(first.place): "
                + "\(first.rejection.reason.rawValue): \(first.rejection.detail)"
        }
        return
            "\(findings.records) records, and no boundary of drift_check_interval_mins was crossed: nothing to decide"
    }

    // MARK: Shared

    private static func write(_ effects: [Effect], to file: AtomicFile) throws {
        for effect in effects {
            guard case .decision = effect else { continue }
            try file.write(EventEncoder.data(of: effect) + [0x0A])
        }
    }

    /// The sweep's points, with the current configuration among them.
    private func frontier(_ points: [ReplayResult.FrontierPoint]) -> [ReplayResult.FrontierPoint] {
        guard points.count > 1 else { return [] }
        let current = configurations.current.engine
        var points = points
        if let same = configurations.swept.firstIndex(where: { $0.configuration.engine == current }) {
            points[same + 1].isCurrent = true
            points.removeFirst()
        } else {
            points[0].isCurrent = true
        }
        return ReplayResult.FrontierPoint.marked(points)
    }
}
