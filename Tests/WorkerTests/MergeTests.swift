import Retraining
import Testing

@testable import Worker

/// Protects the order in which partitions are read: boundary by boundary, whoever is fast.
struct MergeTests {
    private let minute: Int64 = 60_000

    private func head(_ held: Int64?, idle: Bool = false, stream: Bool = true) -> Merge.Head {
        Merge.Head(advancesStreamTime: stream, held: held, isIdle: idle)
    }

    @Test("nothing is evaluated until every partition has shown its first record")
    func waitsForAll() {
        var merge = Merge(interval: 5 * minute)
        #expect(merge.isBehindGate(0))
        #expect(merge.step([head(7 * minute), head(nil)]) == .wait)
        #expect(merge.step([head(7 * minute), head(12 * minute)]) == .proceed)
        #expect(merge.gate == 10 * minute)
        #expect(!merge.isBehindGate(9 * minute))
        #expect(merge.isBehindGate(10 * minute))
    }

    @Test("a boundary is evaluated when all partitions are held at it, or at their end")
    func evaluates() {
        var merge = Merge(interval: 5 * minute)
        _ = merge.step([head(7 * minute), head(8 * minute)])
        #expect(merge.step([head(10 * minute), head(nil)]) == .wait)
        #expect(merge.step([head(10 * minute), head(nil, idle: true)]) == .evaluate(10 * minute))
        #expect(merge.gate == 15 * minute)
    }

    @Test("a gap is crossed once, at the latest boundary, after slower inputs were read up to it")
    func crossesGap() {
        var merge = Merge(interval: 5 * minute)
        _ = merge.step([head(7 * minute), head(7 * minute, stream: false)])
        let heads = [head(61 * minute), head(12 * minute, stream: false)]
        #expect(merge.step(heads) == .proceed)
        #expect(merge.gate == 60 * minute)
        #expect(merge.step([head(61 * minute), head(70 * minute, stream: false)]) == .evaluate(60 * minute))
    }

    @Test("load, statuses and commands alone never move stream time")
    func othersWait() {
        var merge = Merge(interval: 5 * minute)
        _ = merge.step([head(7 * minute), head(7 * minute, stream: false)])
        #expect(merge.step([head(nil, idle: true), head(40 * minute, stream: false)]) == .wait)
    }
}
