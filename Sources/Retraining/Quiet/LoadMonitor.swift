/// How busy one pool of machines is, and is expected to be.
///
/// Load score = 0.6 · mean CPU / 100 + 0.4 · rate / p95 of the rate (SOURCE.md section 3.2). Where the rate hardly
/// varies, rate / p95 is about 1 whatever happens and the score could never fall below 0.4: then the score is mean
/// CPU / 100 alone.
struct LoadMonitor {
    struct Machine {
        var at: Milliseconds
        /// Smoothed time between two records of this machine.
        var interval: Milliseconds
        var cpuPercent: Double?
        var ratePerSecond: Double?
        var incident: Bool
    }

    /// One moment's load.
    struct Reading: Equatable {
        var score: Double?
        var form = LoadEvidence.Form.none
        var meanCPUPercent: Double?
        var ratePerSecond: Double?
        var rateP95: Double?
        var machines = 0
        var incident = false
    }

    private static let rateHardlyVaries = 1.2
    /// Rate samples that a p95 needs.
    private static let fewestRates = 24

    var machines: [Int32: Machine] = [:]
    var history: LoadHistory
    /// 5-minute rates over the lookback, oldest first.
    var rates: [(at: Milliseconds, rate: Double)] = []
    var ratesStart = 0
    var rateSummary: (p95: Double, median: Double)?
    var rateSummaryHour: Int64 = .min
    private let lookback: Milliseconds

    init(lookback: Milliseconds) {
        self.lookback = lookback
        history = LoadHistory(lookback: lookback)
    }

    mutating func note(
        machine: Int32, at: Milliseconds, cpuPercent: Double?, ratePerSecond: Double?, incident: Bool?
    ) {
        if let cpuPercent { history.addCPU(cpuPercent, at: at) }
        guard var known = machines[machine] else {
            machines[machine] = Machine(
                at: at, interval: 5 * .minute, cpuPercent: cpuPercent, ratePerSecond: ratePerSecond,
                incident: incident ?? false)
            return
        }
        guard at >= known.at else { return }
        if at > known.at { known.interval = (3 * known.interval + (at - known.at)) / 4 }
        known.at = at
        known.cpuPercent = cpuPercent ?? known.cpuPercent
        known.ratePerSecond = ratePerSecond ?? known.ratePerSecond
        known.incident = incident ?? known.incident
        machines[machine] = known
    }

    mutating func forget(silentSince time: Milliseconds) -> [Int32] {
        let silent = machines.filter { $0.value.at < time }.keys.sorted()
        for machine in silent { machines[machine] = nil }
        return silent
    }

    /// Reads the load at an evaluation. `countedRate` is the rate of prediction records, used where no machine says.
    mutating func read(at now: Milliseconds, countedRate: Double) -> Reading {
        var reading = Reading()
        var cpuSum = 0.0
        var cpuCount = 0.0
        var rateSum = 0.0
        var saysRate = false
        // Sums run in the order of the values: the order of the machines would depend on who came first.
        var cpus: [Double] = []
        var machineRates: [Double] = []
        for (_, machine) in machines {
            // Open until it is closed, or its machine has been silent for a day.
            if machine.incident, now - machine.at <= .day { reading.incident = true }
            guard now - machine.at <= max(5 * .minute, 3 * machine.interval) else { continue }
            reading.machines += 1
            if let cpu = machine.cpuPercent { cpus.append(cpu) }
            if let rate = machine.ratePerSecond { machineRates.append(rate) }
        }
        for cpu in cpus.sorted() {
            cpuSum += cpu
            cpuCount += 1
        }
        for rate in machineRates.sorted() {
            rateSum += rate
            saysRate = true
        }
        let rate = saysRate ? rateSum : countedRate
        note(rate: rate, at: now)
        reading.ratePerSecond = rate
        reading.rateP95 = rateSummary?.p95
        if cpuCount > 0 { reading.meanCPUPercent = cpuSum / cpuCount }
        (reading.score, reading.form) = score(cpuPercent: reading.meanCPUPercent, ratePerSecond: rate)
        return reading
    }

    private mutating func note(rate: Double, at now: Milliseconds) {
        // Before the first prediction there is no rate yet, which is not a rate of 0.
        guard rate > 0 || !rates.isEmpty else { return }
        history.addRate(rate, at: now)
        rates.append((now, rate))
        while ratesStart < rates.count, rates[ratesStart].at < now - lookback { ratesStart += 1 }
        if ratesStart > 4096 {
            rates.removeFirst(ratesStart)
            ratesStart = 0
        }
        let hour = now.flooredDivision(by: .hour)
        guard hour != rateSummaryHour else { return }
        rateSummaryHour = hour
        let sorted = rates[ratesStart...].map(\.rate).sorted()
        guard sorted.count >= Self.fewestRates else {
            rateSummary = nil
            return
        }
        rateSummary = (sorted[(sorted.count - 1) * 95 / 100], sorted[(sorted.count - 1) / 2])
    }

    /// The score of a CPU mean and a rate, by the form that today's rates ask for.
    func score(cpuPercent: Double?, ratePerSecond: Double?) -> (Double?, LoadEvidence.Form) {
        guard let cpuPercent else { return (nil, .none) }
        let cpu = cpuPercent / 100
        guard let summary = rateSummary, let ratePerSecond, summary.p95 > 0,
            summary.p95 >= Self.rateHardlyVaries * summary.median
        else { return (cpu, .cpuOnly) }
        return (0.6 * cpu + 0.4 * ratePerSecond / summary.p95, .cpuAndRate)
    }

    /// The forecast score for a moment; nil where nothing is known.
    func forecast(_ target: Milliseconds, now: Milliseconds, calendar: LocalCalendar) -> Double? {
        guard let expected = history.forecast(target, now: now, calendar: calendar) else { return nil }
        return score(cpuPercent: expected.cpuPercent, ratePerSecond: expected.ratePerSecond).0
    }

    /// Hourly scores of [from, to), oldest first.
    func scores(from: Milliseconds, to: Milliseconds) -> [Double] {
        history.cells(from: from.flooredDivision(by: .hour), to: to.flooredDivision(by: .hour)).compactMap {
            score(cpuPercent: $0.cpu, ratePerSecond: $0.rate).0
        }
    }

    /// Mean score of the hour that holds `now`, or of the one before it.
    func hourScore(at now: Milliseconds) -> Double? {
        let hour = now.flooredDivision(by: .hour)
        for candidate in [hour, hour - 1] {
            if let cell = history[candidate], let score = score(cpuPercent: cell.cpu, ratePerSecond: cell.rate).0 {
                return score
            }
        }
        return nil
    }
}
