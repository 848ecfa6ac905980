@testable import Retraining
import Synchronization
import Testing

@testable import Worker

/// Protects: whoever asks for a look at a model while the worker is busy gets it, and the worker does little a turn.
@Suite struct ModelViewDeskTests {
    private static func view(_ model: String) -> ModelView {
        ModelView(
            model: model, version: nil, isPaused: false, isBaselineFrozen: false, baselineVersion: nil,
            baselineOrigin: nil, baselineCapturedAt: nil, metrics: [])
    }

    @Test func allWhoAskAreAnsweredInFewTurns() {
        let desk = ModelViewDesk()
        let answers = Mutex<[String: Int]>([:])
        for number in 0..<60 {
            let model = "m\(number % 10)"
            _ = desk.ask(model) { view in
                #expect(view?.model == model)
                answers.withLock { $0[model, default: 0] += 1 }
            }
        }
        var looks: [Int] = []
        while answers.withLock({ $0.values.reduce(0, +) }) < 60, looks.count < 20 {
            var looked = 0
            desk.serve {
                looked += 1
                return Self.view($0)
            }
            looks.append(looked)
        }
        #expect(looks == [4, 4, 2], "each model is looked at once, four a turn")
        #expect(answers.withLock { $0 } == Dictionary(uniqueKeysWithValues: (0..<10).map { ("m\($0)", 6) }))
        desk.serve { _ in
            Issue.record("nobody asks any more")
            return nil
        }
    }

    @Test func tooManyAndWithdrawnOnesAreToldSo() {
        let desk = ModelViewDesk()
        let refused = Atomic<Int>(0)
        let numbers = (0..<70).map { number in
            desk.ask("m\(number)") { if $0 == nil { refused.add(1, ordering: .relaxed) } }
        }
        #expect(refused.load(ordering: .relaxed) == 6)
        desk.withdraw(numbers[0])
        desk.withdraw(numbers[0])
        #expect(refused.load(ordering: .relaxed) == 7)
        var served: [String] = []
        desk.serve { model in
            served.append(model)
            return nil
        }
        #expect(served == ["m1", "m2", "m3", "m4"])
    }
}
