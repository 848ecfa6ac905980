public import Retraining
import Synchronization

/// Where other threads ask the worker for a look at a model. The worker looks at one flag a turn, and answers between
/// two turns: everybody who asked for the same model at once, and few models a turn, so that work goes on.
public final class ModelViewDesk: Sendable {
    private struct Question {
        var number: UInt64
        var model: String
        var answer: @Sendable (ModelView?) -> Void
    }

    private let isAsked = Atomic<Bool>(false)
    private let questions = Mutex<(next: UInt64, waiting: [Question])>((0, []))
    private static let waitingMax = 64
    static let modelsPerTurn = 4

    public init() {}

    /// - Parameter answer: called once, on the worker's thread or at `withdraw`: with nil where no task of this worker
    ///   holds the model, or too many ask.
    /// - Returns: for `withdraw`.
    public func ask(_ model: String, answer: @escaping @Sendable (ModelView?) -> Void) -> UInt64 {
        let number: UInt64? = questions.withLock { questions in
            guard questions.waiting.count < Self.waitingMax else { return nil }
            questions.next += 1
            questions.waiting.append(Question(number: questions.next, model: model, answer: answer))
            return questions.next
        }
        guard let number else {
            answer(nil)
            return 0
        }
        isAsked.store(true, ordering: .releasing)
        return number
    }

    /// Answers a question with nil if it still waits: the worker is away, at a broker for instance.
    public func withdraw(_ number: UInt64) {
        let question = questions.withLock { questions in
            questions.waiting.firstIndex { $0.number == number }.map { questions.waiting.remove(at: $0) }
        }
        question?.answer(nil)
    }

    /// Answers what is asked about the models that have waited longest.
    func serve(_ view: (String) -> ModelView?) {
        guard isAsked.load(ordering: .acquiring) else { return }
        let asked: [Question] = questions.withLock { questions in
            var models: Set<String> = []
            for question in questions.waiting where models.count < Self.modelsPerTurn { models.insert(question.model) }
            let asked = questions.waiting.filter { models.contains($0.model) }
            questions.waiting.removeAll { models.contains($0.model) }
            if questions.waiting.isEmpty { isAsked.store(false, ordering: .releasing) }
            return asked
        }
        var views: [String: ModelView?] = [:]
        for question in asked {
            let answer = views[question.model] ?? view(question.model)
            views[question.model] = .some(answer)
            question.answer(answer)
        }
    }
}
