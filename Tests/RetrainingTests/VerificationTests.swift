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
        #expect(abs(verdict.ratio - 0.9) < 1e-6)
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
