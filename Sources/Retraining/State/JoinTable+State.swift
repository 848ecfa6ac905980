extension JoinTable {
    /// Entities and versions that live cells speak of.
    func collectNames(entities: inout [Int32], versions: inout [Int32]) {
        for cell in cells where cell.isLive {
            entities.append(cell.key.entity)
            var row = cell.firstPrediction
            while row >= 0 {
                versions.append(rows[Int(row)].version)
                row = rows[Int(row)].next
            }
        }
    }

    /// Writes cells by (`at`, entity) and rows by (issue time, version, shadow): neither the order of arrival nor that
    /// of the list inside a cell decides anything, since pairs are sorted before they are applied. Then the values, a
    /// metric at a time.
    func encode(
        slots: [Int], _ entities: NameDictionary, _ versions: NameDictionary, into writer: inout StateWriter
    ) {
        struct Position {
            var at: Milliseconds
            var entity: Int32
            var cell: Int32
        }
        var positions: [Position] = []
        positions.reserveCapacity(liveRows)
        for (number, cell) in cells.enumerated() where cell.isLive {
            positions.append(
                Position(at: cell.key.at, entity: Int32(entities.index(cell.key.entity)), cell: Int32(number)))
        }
        positions.sort { ($0.at, $0.entity) < ($1.at, $1.entity) }
        writer.count(positions.count)
        var order: [Int32] = []
        order.reserveCapacity(liveRows)
        var last: Milliseconds = 0
        var predictions: [(issuedAt: Milliseconds, version: Int, isShadow: Bool, row: Int32)] = []
        for position in positions {
            let cell = cells[Int(position.cell)]
            writer.signed(position.at - last)
            last = position.at
            writer.count(Int(position.entity))
            writer.byte(cell.actual < 0 ? 0 : rows[Int(cell.actual)].isMatched ? 2 : 1)
            if cell.actual >= 0 {
                order.append(cell.actual)
                writer.bits(count: slots.count) { !value(cell.actual, slots[$0]).isNaN }
            }
            predictions.removeAll(keepingCapacity: true)
            var row = cell.firstPrediction
            while row >= 0 {
                let known = rows[Int(row)]
                predictions.append((known.issuedAt, versions.indexOrNone(known.version), known.isShadow, row))
                row = known.next
            }
            predictions.sort {
                ($0.issuedAt, $0.version, $0.isShadow ? 1 : 0) < ($1.issuedAt, $1.version, $1.isShadow ? 1 : 0)
            }
            writer.count(predictions.count)
            for prediction in predictions {
                order.append(prediction.row)
                writer.signed(position.at - prediction.issuedAt)
                writer.count(prediction.version)
                writer.byte((prediction.isShadow ? 1 : 0) | (rows[Int(prediction.row)].isMatched ? 2 : 0))
                writer.bits(count: slots.count) { !value(prediction.row, slots[$0]).isNaN }
            }
        }
        var column: [Double] = []
        for slot in slots {
            column.removeAll(keepingCapacity: true)
            for row in order {
                let value = value(row, slot)
                if !value.isNaN { column.append(value) }
            }
            writer.column(column)
        }
    }

    /// Reads cells into an empty table that is wide enough; slots are the metrics' places in the unit.
    func decode(
        metricCount: Int, _ entities: [Int32], _ versions: [Int32], from reader: inout StateReader
    ) throws(StateError) {
        var rowsOfMetric: [[Int32]] = Array(repeating: [], count: metricCount)
        var last: (at: Milliseconds, entity: Int) = (0, -1)
        for number in 0..<(try reader.count(ofAtLeast: 4)) {
            let at = try reader.checked(last.at &+ (try reader.signed()))
            let entity = try reader.index(below: entities.count)
            guard at != .min, number == 0 || (last.at, last.entity) < (at, entity) else {
                throw reader.failure("cells of the join are not in order")
            }
            last = (at, entity)
            let cell = cell(Key(entity: entities[entity], at: at))
            let actual = try reader.byte()
            guard actual <= 2 else { throw reader.failure("a half of the join is of an unknown kind") }
            if actual > 0 {
                let row = actualRow(cell: cell)
                if actual == 2 { markMatched(row) }
                try reader.bits(count: metricCount) { rowsOfMetric[$0].append(row) }
            }
            let count = try reader.count(ofAtLeast: 3)
            guard count <= Int(Self.predictionsPerCell), count > 0 || actual > 0 else {
                throw reader.failure("\(count) predictions of one time")
            }
            for _ in 0..<count {
                let issuedAt = try reader.checked(at &- (try reader.signed()))
                let version = try reader.numberOrNone(versions)
                let flags = try reader.byte()
                let before = liveRows
                guard flags < 4, issuedAt != .min,
                    let row = predictionRow(cell: cell, version: version, issuedAt: issuedAt, isShadow: flags & 1 == 1),
                    liveRows == before + 1
                else { throw reader.failure("a prediction occurs twice") }
                if flags & 2 == 2 { markMatched(row) }
                try reader.bits(count: metricCount) { rowsOfMetric[$0].append(row) }
            }
        }
        for metric in 0..<metricCount {
            let rows = rowsOfMetric[metric]
            try reader.column(count: rows.count) { setValue(rows[$0], metric, $1) }
        }
    }
}

extension SharedActuals {
    func encode(_ entities: NameDictionary, _ metrics: NameDictionary, into writer: inout StateWriter) {
        let keys = values.keys.sorted {
            $0.at != $1.at ? $0.at < $1.at : entities.index($0.entity) < entities.index($1.entity)
        }
        writer.count(keys.count)
        var last: Milliseconds = 0
        for key in keys {
            writer.signed(key.at - last)
            last = key.at
            writer.count(entities.index(key.entity))
            let own = values[key]!.map { (metrics.index($0.metric), $0.value) }.sorted { $0.0 < $1.0 }
            writer.count(own.count)
            for (metric, value) in own {
                writer.count(metric)
                writer.double(value)
            }
        }
    }

    init(_ entities: [Int32], _ metrics: [Int32], from reader: inout StateReader) throws(StateError) {
        self.init()
        var last: Milliseconds = 0
        var held: [IntakeValue] = []
        for _ in 0..<(try reader.count(ofAtLeast: 3)) {
            last = try reader.checked(last &+ (try reader.signed()))
            guard last != .min else { throw reader.failure("an actual has no time") }
            let entity = try reader.number(entities)
            held.removeAll(keepingCapacity: true)
            for _ in 0..<(try reader.count(ofAtLeast: 9)) {
                held.append(IntakeValue(metric: try reader.number(metrics), value: try reader.double()))
            }
            restore(entity: entity, at: last, held)
        }
    }
}
