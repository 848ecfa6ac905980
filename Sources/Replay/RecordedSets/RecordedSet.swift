import Foundation
package import Retraining

/// A directory of recorded series with stored forecasts: `ENTITY.actuals.csv.gz`, `ENTITY.predictions-FAMILY.csv.gz`,
/// `ENTITY.load.csv.gz`.
package struct RecordedSet: Sendable {
    package let entities: [RecordedEntity]

    /// - Throws: `ReplayError` that names the file and what is wrong with it.
    package init(directory: String, family: String) throws {
        let suffix = ".actuals.csv.gz"
        guard let files = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
            throw ReplayError("cannot read the directory \(directory)")
        }
        let names = files.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }.sorted()
        guard !names.isEmpty else {
            throw ReplayError("\(directory) holds no file ENTITY\(suffix): name the directory of one set")
        }
        entities = try names.map { try Self.entity($0, directory: directory, family: family) }
    }

    private static func entity(
        _ name: String, directory: String, family: String
    ) throws -> RecordedEntity {
        func table(_ kind: String) throws -> CommaSeparated {
            let path = "\(directory)/\(name).\(kind).csv.gz"
            return try CommaSeparated(path: path, bytes: try CompressedFile.read(path))
        }
        let actualsTable = try table("actuals")
        let metrics = Array(actualsTable.header.dropFirst())
        let (start, actuals) = try readActuals(actualsTable, metrics: metrics.count)
        let forecastTable = try table("predictions-\(family)")
        let modelNames = forecastTable.header.dropFirst(3).map { String($0.dropFirst()) }
        let models = try modelNames.map { name in
            guard let time = RecordedTime.midnight(of: name) else {
                throw ReplayError("the stored forecasts of \(directory) have a column m\(name) that is no date")
            }
            return time
        }
        guard !models.isEmpty else {
            throw ReplayError("the stored forecasts of \(name) in \(directory) name no model")
        }
        let loadTable = try table("load")
        return RecordedEntity(
            name: name, metrics: metrics, start: start, actuals: actuals, models: models, modelNames: modelNames,
            forecasts: try readForecasts(forecastTable, metrics: metrics), load: try readLoad(loadTable),
            loadColumn: loadTable.header.count > 1 ? loadTable.header[1] : "")
    }

    private static func readActuals(_ table: CommaSeparated, metrics: Int) throws -> (Milliseconds, [[Double]]) {
        var start: Milliseconds?
        var rows: [[Double]] = []
        let missing = Array(repeating: Double.nan, count: metrics)
        try table.forEachRow { row in
            let time = try row.time(0)
            let first = start ?? time
            start = first
            let index = Int((time - first) / RecordedEntity.step)
            while rows.count < index { rows.append(missing) }
            if rows.count == index { rows.append((1...metrics).map { row.number($0) }) }
        }
        guard let start else { throw ReplayError("a file of actuals holds no row") }
        return (start, rows)
    }

    private static func readForecasts(
        _ table: CommaSeparated, metrics: [String]
    ) throws -> [Milliseconds: [RecordedEntity.StoredForecast]] {
        var forecasts: [Milliseconds: [RecordedEntity.StoredForecast]] = [:]
        let columns = Dictionary(uniqueKeysWithValues: metrics.enumerated().map { ($1, $0) })
        try table.forEachRow { row in
            guard row.count > 3, let metric = columns[row.text(1)] else { return }
            forecasts[try row.time(0), default: []].append(
                RecordedEntity.StoredForecast(
                    metric: metric, horizonHours: Int(row.number(2)), values: (3..<row.count).map { row.number($0) }))
        }
        return forecasts
    }

    private static func readLoad(_ table: CommaSeparated) throws -> [(time: Milliseconds, value: Double)] {
        var load: [(time: Milliseconds, value: Double)] = []
        try table.forEachRow { row in
            let value = row.number(1)
            if value.isFinite { load.append((try row.time(0), value)) }
        }
        return load.sorted { $0.time < $1.time }
    }
}
