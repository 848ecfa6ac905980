import Testing

@testable import Retraining

/// A new version's trial: what is held against what, when it is looked at, and what each outcome means.
@Suite struct VerificationTests {
    /// The verdict on a version whose forecasts miss by `new` where those of the replaced one miss by `old`.
    private func verdict(
        new: Double, old: Double?, behind: Milliseconds = 0
    ) throws -> (verdict: Verdict, afterHours: Int64)? {
        var stream = CalibratedStream()
        stream.run(hours: 24 * 10)
        let deployed = stream.hour
        for _ in 0..<80 {
            let miss = { (hour: Int64) in Double(hour * 104_729 % 13) / 6 - 1 }
            let effects = stream.step(
                version: "v2", shadow: old == nil ? nil : "v1", behind: behind,
                shadowForecast: { CalibratedStream.level($0) + (old ?? 0) * miss($0) },
                forecast: { CalibratedStream.level($0) + new * miss($0) })
            for case .verdict(let verdict) in effects { return (verdict, stream.hour - deployed) }
        }
        return nil
    }

    @Test func `Better by more than a fiftieth at the end is improved`() throws {
        let (verdict, hours) = try #require(try verdict(new: 0.9, old: 1))
        #expect(verdict.outcome == .improved && !verdict.recommendsRollback && !verdict.againstShadowForecaster)
        #expect(abs((verdict.ratio ?? 0) - 0.9) < 1e-6)
        #expect((71...73).contains(hours))
    }

    @Test func `As good as before is neutral`() throws {
        let (verdict, _) = try #require(try verdict(new: 1.01, old: 1))
        #expect(verdict.outcome == .neutral && !verdict.recommendsRollback)
    }

    @Test func `A little worse is regressed at the end, much worse after a day`() throws {
        let (late, lateHours) = try #require(try verdict(new: 1.05, old: 1))
        #expect(late.outcome == .regressed && late.recommendsRollback)
        #expect((71...73).contains(lateHours))
        let (early, earlyHours) = try #require(try verdict(new: 1.3, old: 1))
        #expect(early.outcome == .regressed && early.recommendsRollback)
        #expect((24...26).contains(earlyHours))
    }

    /// Two servers never issue at the same millisecond.
    @Test(arguments: [1, 1000, 4 * 60_000] as [Milliseconds])
    func `The old version need not issue at the same moment`(behind: Milliseconds) throws {
        let (verdict, hours) = try #require(try verdict(new: 1.3, old: 1, behind: behind))
        #expect(verdict.outcome == .regressed && !verdict.againstShadowForecaster)
        #expect((24...26).contains(hours))
    }

    @Test func `Without the old version the skill of both is compared, and drift is not overlooked for long`() throws {
        let (verdict, _) = try #require(try verdict(new: 1, old: nil))
        #expect(verdict.againstShadowForecaster && verdict.outcome == .neutral)

        // Worse by far from the first day on: asked about once a day is known, not after the trial.
        var stream = CalibratedStream()
        stream.run(hours: 24 * 10)
        let deployed = stream.hour
        var asked: Int64?
        while asked == nil, stream.hour - deployed < 96 {
            let effects = stream.step(
                version: "v2", forecast: { CalibratedStream.level($0) + 30 + Double($0 * 104_729 % 13) / 6 - 1 })
            if !effects.requests.isEmpty { asked = stream.hour - deployed }
        }
        #expect(try #require(asked) < 71)
    }

    // MARK: Trials that nobody judges

    /// Deploys versions one after the other, each after so many hours of the one before it; all verdicts.
    private func verdicts(_ plan: [(version: String, shadow: String?, hours: Int)], _ stream: inout CalibratedStream)
        -> [Verdict]
    {
        var found: [Verdict] = []
        for part in plan {
            for _ in 0..<part.hours {
                let effects = stream.step(
                    version: part.version, shadow: part.shadow, shadowForecast: { CalibratedStream.level($0) + 1 })
                for case .verdict(let verdict) in effects { found.append(verdict) }
            }
        }
        return found
    }

    @Test func `A version that is replaced during its trial is superseded, and the next one judged`() {
        var stream = CalibratedStream()
        stream.run(hours: 24 * 10)
        let found = verdicts([("v2", "v1", 40), ("v3", "v2", 80)], &stream)
        #expect(found.map(\.newVersion) == ["v2", "v3"])
        #expect(found[0].outcome == .superseded && !found[0].recommendsRollback && found[0].oldVersion == "v1")
        #expect(found[0].pairs > 30 && (found[0].ratio ?? 0) > 0)
        #expect(found[0].at == stream.start + (24 * 10 + 41) * .hour)
        #expect([.improved, .neutral].contains(found[1].outcome) && found[1].oldVersion == "v2")
    }

    @Test func `A version that somebody takes back before its verdict is superseded`() {
        var stream = CalibratedStream()
        stream.run(hours: 24 * 10)
        let found = verdicts([("v2", nil, 10), ("v1", nil, 100)], &stream)
        #expect(found.map(\.outcome) == [.superseded])
        #expect(found[0].newVersion == "v2" && found[0].pairs == 0 && found[0].ratio == nil)
        #expect(found[0].text.contains("v1 took the place of v2"))
    }

    @Test func `However often versions change, each has one verdict`() {
        var stream = CalibratedStream()
        stream.run(hours: 24 * 10)
        // Never two of less than 36 h in a row: those are names of one model.
        let hours = [1, 40, 2, 50, 5, 80, 3, 90]
        let plan = hours.indices.map { ("v\($0 + 2)", Optional("v\($0 + 1)"), hours[$0]) }
        let found = verdicts(plan, &stream)
        #expect(found.map(\.newVersion) == plan.map(\.0))
        #expect(found.filter { $0.outcome == .superseded }.map(\.newVersion) == ["v2", "v3", "v4", "v5", "v6", "v8"])
    }

    @Test func `A verdict names the training of its version and no other`() throws {
        var stream = CalibratedStream()
        stream.run(hours: 24 * 10)
        stream.harness.feed(.command(.request, time: stream.now))
        let id = try #require(stream.step().requests.first?.requestID)
        stream.harness.succeed(id, version: "v2", time: stream.now)
        // Somebody deploys one by hand as well.
        let found = verdicts([("v2", "v1", 80), ("by-hand", "v2", 80)], &stream)
        #expect(found.map(\.requestID) == [id, nil])
    }

    /// Versions without a name are told apart by time: what was forecast before the training says nothing of after it.
    @Test func `Pairs of a replaced version without a name ask for nothing`() throws {
        var stream = CalibratedStream()
        for _ in 0..<24 * 10 { stream.step(version: nil) }
        var requests = 0
        var isTrained = false
        for _ in 0..<24 * 10 {
            let isStale = !isTrained
            let effects = stream.step(
                version: nil,
                forecast: {
                    CalibratedStream.level($0) + (isStale ? 30 : 0) + Double($0 * 104_729 % 13) / 6 - 1
                })
            for request in effects.requests where request.attempt == 1 {
                requests += 1
                isTrained = true
                stream.harness.succeed(request.requestID, time: stream.now)
            }
        }
        #expect(requests == 1)
    }
}
