import Testing

@testable import Retraining

/// The load score in both forms, and what it is made of. Source, section 3.2; design, section 5.
@Suite struct LoadScoreTests {
    private let noon = monday + 12 * .hour

    /// A monitor that has read these rates, one an hour up to noon, with the CPU at the last.
    private func monitor(rates: [Double], cpu: Double) -> (LoadMonitor, LoadMonitor.Reading) {
        var monitor = LoadMonitor(lookback: 30 * .day)
        var reading = LoadMonitor.Reading()
        for (index, rate) in rates.enumerated() {
            let time = noon - Int64(rates.count - 1 - index) * .hour
            monitor.note(machine: 0, at: time, cpuPercent: cpu, ratePerSecond: nil, incident: nil)
            reading = monitor.read(at: time, countedRate: rate)
        }
        return (monitor, reading)
    }

    @Test func `Where the rate varies: 0.6 CPU + 0.4 rate / p95`() {
        // 0...100: by every definition of a quantile the 95th percentile is 95 and the median 50.
        let (_, reading) = monitor(rates: (0...100).map(Double.init), cpu: 50)
        #expect(reading.form == .cpuAndRate)
        #expect(reading.rateP95 == 95)
        #expect(reading.ratePerSecond == 100)
        #expect(close(reading.score, 0.6 * 0.5 + 0.4 * 100 / 95))
    }

    @Test func `Where the rate hardly varies: CPU alone`() {
        let (_, reading) = monitor(rates: Array(repeating: 10, count: 101), cpu: 25)
        #expect(reading.form == .cpuOnly)
        #expect(close(reading.score, 0.25))
        #expect(reading.rateP95 == 10)
    }

    @Test(arguments: [(11.99, LoadEvidence.Form.cpuOnly), (12.0, .cpuAndRate), (12.01, .cpuAndRate)])
    func `The rate counts from a p95 of 1.2 times the median on`(peak: Double, form: LoadEvidence.Form) {
        // 90 of 101 at 10, the rest at the peak: p95 is the peak, the median 10.
        let rates = (0..<101).map { $0 < 90 ? 10 : peak }
        #expect(monitor(rates: rates, cpu: 25).1.form == form)
    }

    @Test func `A p95 of rates that are all 0 divides nothing`() {
        let (_, reading) = monitor(rates: Array(repeating: 0, count: 101), cpu: 40)
        #expect(reading.form == .cpuOnly)
        #expect(close(reading.score, 0.4))
    }

    @Test func `Few rates make no p95`() {
        let (_, reading) = monitor(rates: [0, 50, 100], cpu: 40)
        #expect(reading.form == .cpuOnly)
        #expect(reading.rateP95 == nil)
    }

    @Test func `Without CPU there is no score`() {
        var monitor = LoadMonitor(lookback: 30 * .day)
        monitor.note(machine: 0, at: noon, cpuPercent: nil, ratePerSecond: 5, incident: nil)
        let reading = monitor.read(at: noon, countedRate: 0)
        #expect(reading.score == nil)
        #expect(reading.form == .none)
        #expect(reading.machines == 1)
        #expect(reading.ratePerSecond == 5)
    }

    @Test func `CPU is the mean over machines, rates are their sum, and replace the counted rate`() {
        var monitor = LoadMonitor(lookback: 30 * .day)
        for (machine, cpu) in [(Int32(0), 10.0), (1, 20), (2, 60)] {
            monitor.note(
                machine: machine, at: noon, cpuPercent: cpu, ratePerSecond: Double(machine), incident: nil)
        }
        let reading = monitor.read(at: noon, countedRate: 99)
        #expect(close(reading.meanCPUPercent, 30))
        #expect(reading.ratePerSecond == 3)
        #expect(reading.machines == 3)
    }

    @Test func `A machine's value holds for 3 times its interval, at least 5 minutes`() {
        var monitor = LoadMonitor(lookback: 30 * .day)
        // One machine every hour, one every second, one once.
        for hour in 0..<Int64(60) {
            monitor.note(
                machine: 0, at: noon - (59 - hour) * .hour, cpuPercent: 30, ratePerSecond: nil, incident: nil)
        }
        for second in 0..<Int64(600) {
            monitor.note(
                machine: 1, at: noon - (599 - second) * 1000, cpuPercent: 90, ratePerSecond: nil, incident: nil)
        }
        #expect(close(monitor.read(at: noon, countedRate: 0).meanCPUPercent, 60))
        #expect(close(monitor.read(at: noon + 5 * .minute, countedRate: 0).meanCPUPercent, 60))
        #expect(close(monitor.read(at: noon + 5 * .minute + 1, countedRate: 0).meanCPUPercent, 30))
        #expect(monitor.read(at: noon + 179 * .minute, countedRate: 0).machines == 1)
        #expect(monitor.read(at: noon + 181 * .minute, countedRate: 0).machines == 0)
    }

    @Test func `A record out of order changes nothing of the machine's latest value`() {
        var monitor = LoadMonitor(lookback: 30 * .day)
        monitor.note(machine: 0, at: noon, cpuPercent: 30, ratePerSecond: nil, incident: false)
        monitor.note(machine: 0, at: noon - .minute, cpuPercent: 90, ratePerSecond: nil, incident: true)
        let reading = monitor.read(at: noon, countedRate: 0)
        #expect(reading.meanCPUPercent == 30)
        #expect(!reading.incident)
    }

    @Test func `An incident stays open until its machine says otherwise`() {
        var monitor = LoadMonitor(lookback: 30 * .day)
        monitor.note(machine: 0, at: noon, cpuPercent: 10, ratePerSecond: nil, incident: true)
        monitor.note(machine: 0, at: noon + 1, cpuPercent: 10, ratePerSecond: nil, incident: nil)
        monitor.note(machine: 1, at: noon + 1, cpuPercent: 10, ratePerSecond: nil, incident: false)
        #expect(monitor.read(at: noon + 1, countedRate: 0).incident)
        monitor.note(machine: 0, at: noon + 2, cpuPercent: 10, ratePerSecond: nil, incident: false)
        #expect(!monitor.read(at: noon + 2, countedRate: 0).incident)
    }

    // MARK: Through the engine

    private func decide(_ records: [StreamRecord], _ configure: (inout EngineConfiguration) -> Void = { _ in })
        -> Decision
    {
        var configuration = EngineConfiguration.test
        configure(&configuration)
        let harness = EngineHarness(configuration)
        harness.injectScore { _ in 0.11 }
        harness.feed(records)
        harness.pulse(noon)
        return harness.decide(noon)
    }

    /// Eight days in which every hour was quiet.
    private var quietWeek: [StreamRecord] {
        (1...192).reversed().map { .load(cpu: 5, time: noon - Int64($0) * .hour) }
    }

    @Test func `An open incident is not quiet, whatever the load`() {
        let time = noon - .minute
        #expect(decide(quietWeek + [.load(cpu: 5, incident: false, time: time)]).reason == .driftQuiet)
        let held = decide(quietWeek + [.load(cpu: 5, incident: true, time: time)])
        #expect(held.reason == .waitingForQuiet)
        #expect(held.load.incident)
        #expect(!held.load.isQuiet)
    }

    @Test func `Nothing starts in a blackout, from its first to before its last moment`() {
        func decide(from: Milliseconds, to: Milliseconds) -> Decision {
            self.decide(quietWeek + [.load(cpu: 5, time: noon - .minute)]) {
                $0.quiet.blackouts = [.init(from: from, to: to, name: "freeze")]
            }
        }
        let held = decide(from: noon, to: noon + 1)
        #expect(held.reason == .waitingForQuiet)
        #expect(held.load.blackout == "freeze")
        #expect(decide(from: noon - .hour, to: noon + 1).load.blackout == "freeze")
        #expect(decide(from: noon - .hour, to: noon).reason == .driftQuiet)
        #expect(decide(from: noon + 3 * .hour, to: noon + 4 * .hour).reason == .driftQuiet)
    }

    @Test func `A model asks its own pool, and all load together where that is unknown`() {
        let time = noon - .minute
        let records: [StreamRecord] = [
            .load(pool: "prod", entity: "p", cpu: 90, time: time),
            .load(pool: "batch", entity: "b", cpu: 10, time: time),
        ]
        #expect(decide(records) { $0.quiet.pool = "batch" }.load.score == 0.1)
        #expect(decide(records) { $0.quiet.pool = "prod" }.load.score == 0.9)
        #expect(decide(records) { $0.quiet.pool = "nowhere" }.load.score == 0.5)
        #expect(decide(records).load.score == 0.5)
        #expect(
            decide(records) { configuration in
                var own = ModelOverrides()
                own.pool = "prod"
                configuration.models["m"] = own
            }.load.score == 0.9)
    }

    @Test func `The rate is counted from the predictions where no load record carries one`() {
        let harness = EngineHarness()
        harness.evaluate(noon)
        for index in 0..<60 {
            harness.feed(.prediction(entity: "s\(index)", at: noon, ["a": 1], time: noon + Int64(index)))
        }
        harness.feed(.load(cpu: 10, time: noon))
        // 60 records in 5 minutes.
        #expect(close(harness.decide(noon + 5 * .minute).load.ratePerSecond, 0.2))
    }

    @Test func `A load record from far ahead does not freeze its machine`() {
        let harness = EngineHarness()
        harness.feed(.load(cpu: 1, time: noon, at: noon + 20 * .day))
        harness.feed(.load(cpu: 80, time: noon + .minute))
        harness.pulse(noon + 5 * .minute)
        #expect(harness.decide(noon + 5 * .minute).load.meanCPUPercent == 80)
    }
}
