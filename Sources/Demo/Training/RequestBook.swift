import Retraining

/// What a trainer remembers of the requests that it was sent, so that a request sent twice is trained once.
struct RequestBook {
    enum Action: Equatable {
        /// New and valid: train.
        case train
        /// Known: say again what was said last, and train nothing.
        case repeatLast(TrainingStatusRecord)
        /// New and not to be served, with what is wrong.
        case reject([String])
    }

    let models: Set<String>
    private var last: [String: TrainingStatusRecord] = [:]

    /// The requests that were answered, whatever the answer.
    var answered: Set<String> { Set(last.keys) }

    init(models: Set<String>) {
        self.models = models
    }

    /// Decides what to do with a request, and remembers it.
    mutating func receive(_ request: RequestEvent, at time: Milliseconds) -> Action {
        if let known = last[request.requestID] { return .repeatLast(known) }
        let faults = self.faults(of: request)
        last[request.requestID] = TrainingStatusRecord(
            requestID: request.requestID, status: faults.isEmpty ? .accepted : .rejected, at: time, errors: faults)
        return faults.isEmpty ? .train : .reject(faults)
    }

    /// Remembers what was said about a request.
    mutating func said(_ status: TrainingStatusRecord) {
        last[status.requestID] = status
    }

    private func faults(of request: RequestEvent) -> [String] {
        var faults: [String] = []
        if request.requestID.isEmpty { faults.append("request_id is missing") }
        if !models.contains(request.model) {
            faults.append(
                "model \(request.model) is not trained here; known are \(models.sorted().joined(separator: ", "))")
        }
        if request.window.to <= request.window.from {
            faults.append("the training window is empty: it ends at or before it starts")
        }
        return faults
    }
}
