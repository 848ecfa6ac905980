extension LoadMonitor {
    func encode(_ names: NameTable, into writer: inout StateWriter) {
        let dictionary = NameDictionary(Array(machines.keys), in: names)
        dictionary.encode(names, into: &writer)
        for number in dictionary.numbers {
            let machine = machines[number]!
            writer.time(machine.at)
            writer.time(machine.interval)
            writer.optionalDouble(machine.cpuPercent)
            writer.optionalDouble(machine.ratePerSecond)
            writer.bool(machine.incident)
        }
        history.encode(into: &writer)
        let live = rates[ratesStart...]
        writer.count(live.count)
        writer.column(times: live.map(\.at))
        writer.column(live.map(\.rate))
        writer.optional(rateSummary) {
            $0.double($1.p95)
            $0.double($1.median)
        }
        writer.time(rateSummaryHour)
    }

    init(
        lookback: Milliseconds, from reader: inout StateReader, intern: (BorrowedText) -> Int32
    ) throws(StateError) {
        self.init(lookback: lookback)
        for number in try reader.names(intern) {
            machines[number] = Machine(
                at: try reader.time(), interval: try reader.time(), cpuPercent: try reader.optionalDouble(),
                ratePerSecond: try reader.optionalDouble(), incident: try reader.bool())
        }
        try history.decode(from: &reader)
        let count = try reader.count()
        var times: [Milliseconds] = Array(repeating: 0, count: count)
        try reader.column(times: count) { times[$0] = $1 }
        var values = Array(repeating: 0.0, count: count)
        try reader.column(count: count) { values[$0] = $1 }
        rates = Array(zip(times, values)).map { (at: $0, rate: $1) }
        if try reader.bool() { rateSummary = (try reader.double(), try reader.double()) }
        rateSummaryHour = try reader.time()
    }
}

extension LoadHistory {
    func encode(into writer: inout StateWriter) {
        let cells = ring.filter { $0.hour != .min }.sorted { $0.hour < $1.hour }
        writer.count(cells.count)
        writer.column(times: cells.map(\.hour))
        for cell in cells {
            for value in [cell.cpuSum, cell.cpuCount, cell.rateSum, cell.rateCount] { writer.double(value) }
        }
    }

    /// Takes hours into an empty history, the latest where it keeps fewer than were written.
    mutating func decode(from reader: inout StateReader) throws(StateError) {
        let count = try reader.count(ofAtLeast: 32)
        var hours: [Int64] = Array(repeating: 0, count: count)
        try reader.column(times: count) { hours[$0] = $1 }
        for hour in hours {
            let cell = Hour(
                hour: hour, cpuSum: try reader.double(), cpuCount: try reader.double(), rateSum: try reader.double(),
                rateCount: try reader.double())
            let index = Self.index(hour, ring.count)
            guard hour > ring[index].hour else { continue }
            if ring[index].hour == .min { hoursKept += 1 }
            ring[index] = cell
            latestHour = max(latestHour, hour)
        }
    }
}
