import Contracts
import Foundation
import Retraining

@testable import Replay

/// Forty days of two machines under one model, whose forecasts go wrong after the thirtieth.
struct SampleHistory {
    static let start: Milliseconds = 1_735_689_600_000  // 2025-01-01
    var hours = 40 * 24
    var model = "m"

    struct Row {
        var time: Milliseconds
        var entity: String
        var cpu: Double
        var memory: Double
        var predictedCPU: Double
        var predictedMemory: Double
    }

    /// In order of time.
    var rows: [Row] {
        (0..<hours).flatMap { hour in
            ["a", "b"].map { entity in
                let time = Self.start + Int64(hour) * .hour
                let day = Double(hour % 24)
                let noise = Double((hour * 7919 + (entity == "a" ? 1 : 5)) % 101) / 100 - 0.5
                let next = Double(((hour + 1) * 7919 + (entity == "a" ? 1 : 5)) % 101) / 100 - 0.5
                let cpu = 30 + 15 * wave(day) + 3 * noise
                let ahead = 30 + 15 * wave(day + 1) + 1.5 * next
                let factor = hour >= 30 * 24 ? 1.35 : 1
                return Row(
                    time: time, entity: entity, cpu: cpu, memory: 50 + 10 * wave(day) + noise,
                    predictedCPU: ahead * factor, predictedMemory: (50 + 10 * wave(day + 1)) * factor)
            }
        }
    }

    private func wave(_ hour: Double) -> Double { sin(2 * .pi * (hour - 8) / 24) }

    func predictions(_ row: Row) -> [UInt8] {
        RecordEncoder.prediction(
            model: model, version: "v1", entity: row.entity, at: row.time + .hour, issuedAt: row.time,
            values: [("cpu_pct", row.predictedCPU), ("mem_pct", row.predictedMemory)])
    }

    func actuals(_ row: Row) -> [UInt8] {
        RecordEncoder.actual(
            model: model, entity: row.entity, at: row.time, values: [("cpu_pct", row.cpu), ("mem_pct", row.memory)])
    }

    func load(_ row: Row) -> [UInt8] { RecordEncoder.load(entity: row.entity, at: row.time, cpuPercent: row.cpu) }

    /// By the name of the file.
    var encoders: [(name: String, encode: (Row) -> [UInt8])] {
        [("predictions", predictions), ("actuals", actuals), ("load", load)]
    }

    /// Writes predictions, actuals and load as JSON lines.
    func write(to directory: TemporaryDirectory, ending: String = ".jsonl") throws {
        for (name, encode) in encoders {
            let bytes: [UInt8] = rows.flatMap { encode($0) + [10] }
            try directory.write(bytes, name + ending)
        }
    }

    func writeCSV(to directory: TemporaryDirectory) throws {
        var predictions = "model,model_version,entity,at,issued_at,cpu_pct,mem_pct\n"
        var actuals = "model,entity,at,cpu_pct,mem_pct\n"
        var load = "entity,at,cpu_pct\r\n"
        for row in rows {
            predictions +=
                "\(model),v1,\(row.entity),\(row.time + .hour),\(row.time),\(row.predictedCPU),\(row.predictedMemory)\n"
            actuals += "\(model),\"\(row.entity)\",\(Timestamp.text(row.time)!),\(row.cpu),\(row.memory)\n"
            load += "\(row.entity),\(row.time),\(row.cpu)\r\n"
        }
        for (name, text) in [("predictions", predictions), ("actuals", actuals), ("load", load)] {
            try directory.write(Array(text.utf8), name + ".csv")
        }
    }

    static var configuration: EngineConfiguration {
        var configuration = EngineConfiguration()
        configuration.drift.checkInterval = .hour
        configuration.training.status = .none
        return configuration
    }

    static func source(
        _ directory: TemporaryDirectory, range: ReplayRange? = nil, limits: DecoderLimits = DecoderLimits()
    ) throws -> FileSource {
        try FileSource(
            try HistoryFile.files(in: directory.path), topic: { "\($0)" }, fields: FieldMap(), limits: limits,
            range: try range ?? ReplayRange())
    }

    /// Every decision as it is written down, without the cut where files differ in their lines.
    static func decisions(
        _ source: any HistorySource, configuration: EngineConfiguration = configuration, withoutCuts: Bool = false
    ) throws -> [[UInt8]] {
        var decisions: [[UInt8]] = []
        _ = try StreamReplay.run(
            source, [configuration],
            note: { evaluation in
                for case .decision(var decision) in evaluation.effects {
                    if withoutCuts { decision.cut = Cut() }
                    decisions.append(EventEncoder.data(of: .decision(decision)))
                }
                return true
            })
        return decisions
    }
}

/// A directory that is gone when it is let go.
final class TemporaryDirectory {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "driftgate-replay-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }

    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

    /// Packs a file by a program of the system, and takes the original away.
    func pack(_ name: String, by program: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = program + ["\(path)/\(name)"]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
    }
}
