import Retraining

/// Tells what happens, as it happens: what the worker publishes, and what the trainer and the world do.
struct Story {
    enum Chapter: Int, Comparable {
        case healthy, changed, driftSeen, waiting, requested, retrained, recovered

        static func < (left: Chapter, right: Chapter) -> Bool { left.rawValue < right.rawValue }
    }

    /// What the summary needs to know about one training.
    struct Training {
        var requestID: String
        var requestedAt: Milliseconds
        var reason: String
        var load: Double?
        var succeededAt: Milliseconds?
        var version: String?
    }

    let timeline: Timeline
    let terminal: Terminal
    private(set) var chapter = Chapter.healthy
    private(set) var trainings: [Training] = []
    private(set) var driftSeenAt: Milliseconds?
    /// When drift was first found and nothing but the load stood against a training.
    private(set) var waitingSince: Milliseconds?
    private(set) var recoveredAt: Milliseconds?
    private var latest: DecisionEvent?
    private var toldReason: String?
    private var dayLoads: [Double] = []
    private var dayShown: Int

    init(timeline: Timeline, terminal: Terminal) {
        self.timeline = timeline
        self.terminal = terminal
        dayShown = 0
    }

    mutating func hear(_ event: WorkerEvent) {
        switch event {
        case .decision(let decision): hear(decision)
        case .request(let request): hear(request)
        case .alert(let alert):
            guard alert.state == "raised", alert.kind != "training_triggered", alert.kind != "training_succeeded"
            else { return }
            tell(latest?.evaluatedAt, "alert \(alert.kind): \(alert.text)")
        case .verdict(let verdict):
            tell(verdict.at, "verdict \(verdict.outcome): \(verdict.text)")
        }
    }

    mutating func changeInjected() {
        chapter = max(chapter, .changed)
        terminal.chapter(
            "\(timeline.label(timeline.changeAt))  ── a new application arrives: other levels, amplitudes and hours")
    }

    mutating func hear(_ step: TrainingDesk.Step, at now: Milliseconds) {
        switch step {
        case .rejected(let request, let faults):
            tell(now, "trainer rejects \(request.requestID): \(faults.joined(separator: "; "))")
        case .repeated(let request):
            tell(now, "trainer has had \(request.requestID) before: says again what it said, trains nothing")
        case .accepted(let request):
            _ = note(request)
            let window = Format.duration(request.window.to - request.window.from)
            tell(now, "trainer accepts it and trains on the last \(window); the stream clock stands still")
        case .started: break
        case .succeeded(let request, let trained):
            let index = note(request)
            trainings[index].succeededAt = now
            trainings[index].version = trained.version
            chapter = max(chapter, .retrained)
            let records = trained.metrics["records"].map { Format.count($0) } ?? "–"
            terminal.chapter(
                "\(timeline.label(now))  ── retrained: version \(trained.version), "
                    + "from \(records) records off the topic"
            )
        case .failed(_, let fault):
            tell(now, "training failed: \(fault)")
        }
    }

    /// Notes that the measured accuracy is back.
    mutating func recovered(at now: Milliseconds, accuracy: Double, healthy: Double) {
        guard chapter == .retrained else { return }
        chapter = .recovered
        recoveredAt = now
        terminal.chapter(
            "\(timeline.label(now))  ── recovered: \(Format.percent(accuracy)) over the last 24 h, "
                + "\(Format.percent(healthy)) before the change")
    }

    private mutating func hear(_ decision: DecisionEvent) {
        let now = decision.evaluatedAt
        // Before the first forecast there is nothing to tell.
        guard now > timeline.servedFrom else { return }
        showDay(before: now)
        latest = decision
        if let load = decision.load?.score { dayLoads.append(load) }
        if decision.signal?.recommendation == "retrain", chapter == .changed {
            chapter = .driftSeen
            driftSeenAt = now
            terminal.chapter(
                "\(timeline.label(now))  ── drift seen, \(Format.duration(now - timeline.changeAt)) after the change: "
                    + "score \(Format.score(decision.signal?.score)), accuracy \(Format.percent(decision.accuracy))")
        }
        if decision.reason.code == "waiting_for_quiet" {
            waitingSince = waitingSince ?? (trainings.isEmpty ? now : nil)
            if chapter == .driftSeen {
                chapter = .waiting
                terminal.chapter(
                    "\(timeline.label(now))  ── waiting for quiet: load \(Format.load(decision.load?.score))")
            }
        }
        if decision.reason.code != toldReason {
            toldReason = decision.reason.code
            // A trigger is told by the request that it opens.
            if decision.outcome != "trigger" {
                tell(now, "\(decision.outcome) \(decision.reason.code): \(decision.reason.text)")
            }
        }
        terminal.show(status: statusLine(decision))
    }

    private mutating func hear(_ request: RequestEvent) {
        guard request.attempt == 1 else { return tell(request.requestedAt, "request sent again: \(request.requestID)") }
        _ = note(request)
    }

    /// The request may reach the trainer's consumer before it reaches the story's.
    private mutating func note(_ request: RequestEvent) -> Int {
        if let known = trainings.firstIndex(where: { $0.requestID == request.requestID }) { return known }
        trainings.append(
            Training(
                requestID: request.requestID, requestedAt: request.requestedAt, reason: request.reason.code,
                load: latest?.load?.score))
        chapter = max(chapter, .requested)
        terminal.chapter("\(timeline.label(request.requestedAt))  ── training requested, \(request.reason.code)")
        tell(request.requestedAt, "\(request.reason.text) Request \(request.requestID).")
        return trainings.count - 1
    }

    /// One line a day, when the day is over.
    private mutating func showDay(before now: Milliseconds) {
        let day = timeline.day(of: now)
        guard day > dayShown else { return }
        if dayShown > 0, !dayLoads.isEmpty, let latest {
            let mean = dayLoads.reduce(0, +) / Double(dayLoads.count)
            terminal.say(
                "\(timeline.dayLabel(latest.evaluatedAt))        load \(Format.load(mean)), at most "
                    + "\(Format.load(dayLoads.max()))   score \(Format.score(latest.signal?.score))   "
                    + "accuracy \(Format.percent(latest.accuracy))")
        }
        dayShown = day
        dayLoads = []
    }

    /// Shows the last day.
    mutating func finish() { showDay(before: timeline.end) }

    private func statusLine(_ decision: DecisionEvent) -> String {
        "\(timeline.label(decision.evaluatedAt))  load \(Format.load(decision.load?.score))  "
            + "score \(Format.score(decision.signal?.score))  accuracy \(Format.percent(decision.accuracy))  "
            + "\(decision.outcome) \(decision.reason.code)"
    }

    private func tell(_ time: Milliseconds?, _ text: String) {
        terminal.say("\(time.map(timeline.label) ?? "             ")     \(text)")
    }
}
