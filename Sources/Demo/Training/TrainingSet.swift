import Foundation
import Kafka
import Retraining

/// The data of a training request, read back from the topic that it went over.
struct TrainingSet {
    let table: SeriesTable
    let records: Int
    /// Whether exactly the offsets named by the request were read, or the whole topic for want of them.
    let usedOffsets: Bool

    private struct Actual: Decodable {
        var model: String?
        var entity: String
        var at: Milliseconds
        var values: [String: Double]
    }

    /// - Parameters:
    ///   - entities, metrics: the series, entity by entity, in the order of the table's columns.
    ///   - partitions: of the topic of actuals.
    ///   - notBefore: there is no data before this; the table need not begin earlier. A multiple of `step`.
    ///   - progress: hears the share that has been read.
    static func read(
        for request: RequestEvent, bootstrapServers: String, entities: [String], metrics: [String], partitions: Int,
        step: Milliseconds, notBefore: Milliseconds = .min, progress: (Double) throws -> Void
    ) throws -> TrainingSet {
        let ranges = try self.ranges(of: request, bootstrapServers: bootstrapServers, partitions: partitions)
        let total = ranges.values.reduce(0) { $0 + $1.upperBound - $1.lowerBound }
        let reader = try TopicReader(
            bootstrapServers: bootstrapServers, groupID: "driftgate-demo-training-set",
            start: ranges.map { TopicPartitionOffset(TopicPartition(Topics.actuals, $0.key), $0.value.lowerBound) })
        defer { reader.close() }
        let columns = self.columns(entities: entities, metrics: metrics)
        var table = SeriesTable(
            from: max(notBefore, request.window.from / step * step), to: request.window.to + 1, step: step,
            seriesCount: entities.count * metrics.count)
        let decoder = JSONDecoder()
        var left = ranges.mapValues { $0.upperBound - $0.lowerBound }.filter { $0.value > 0 }
        var count = 0
        let deadline = MonotonicClock.seconds + 30
        while !left.isEmpty {
            if Interruption.isRequested { throw Interrupted() }
            guard MonotonicClock.seconds < deadline else {
                throw DemoError("the training data could not be read within 30 s; \(count) of \(total) records came")
            }
            for record in try reader.poll(timeoutMilliseconds: 20) {
                guard let range = ranges[record.partition], range.contains(record.offset) else { continue }
                left[record.partition] = range.upperBound - record.offset - 1
                if left[record.partition] == 0 { left[record.partition] = nil }
                guard let actual = try? decoder.decode(Actual.self, from: record.value),
                    actual.model == nil || actual.model == request.model, let first = columns[actual.entity]
                else { continue }
                count += 1
                for (name, value) in actual.values {
                    guard let column = first[name] else { continue }
                    table.set(value, at: actual.at, series: column)
                }
            }
            if total > 0 { try progress(1 - Double(left.values.reduce(0, +)) / Double(total)) }
        }
        return TrainingSet(table: table, records: count, usedOffsets: request.window.complete)
    }

    private static func columns(entities: [String], metrics: [String]) -> [String: [String: Int]] {
        var columns: [String: [String: Int]] = [:]
        for (index, entity) in entities.enumerated() {
            for (inner, metric) in metrics.enumerated() {
                columns[entity, default: [:]][metric] = index * metrics.count + inner
            }
        }
        return columns
    }

    /// Which offsets to read: those that the request names where they are complete, otherwise all there are.
    private static func ranges(
        of request: RequestEvent, bootstrapServers: String, partitions: Int
    ) throws -> [Int32: Range<Int64>] {
        let reader = try TopicReader(
            bootstrapServers: bootstrapServers, groupID: "driftgate-demo-training-set", start: [])
        defer { reader.close() }
        var result: [Int32: Range<Int64>] = [:]
        for partition in 0..<Int32(partitions) {
            let marks = try reader.watermarks(TopicPartition(Topics.actuals, partition))
            guard marks.high > marks.low else { continue }
            result[partition] = marks.low..<marks.high
        }
        guard request.window.complete, let named = request.window.offsets[Topics.actuals] else { return result }
        for (partition, there) in result {
            guard let range = named[String(partition)], range.count == 2 else {
                result[partition] = nil
                continue
            }
            let from = max(range[0], there.lowerBound)
            let to = min(range[1], there.upperBound)
            result[partition] = from < to ? from..<to : nil
        }
        return result
    }
}
