import Retraining

/// One run on a stage: whatever was begun is ended, in the reverse order, however the run ends.
struct StageSession {
    private let stage: Stage
    private let terminal: Terminal
    private let keep: Bool
    private var endings: [() -> Void] = []
    private var isOver = false

    init(stage: Stage, terminal: Terminal, keep: Bool) {
        self.stage = stage
        self.terminal = terminal
        self.keep = keep
        if let port = stage.dashboardPort {
            terminal.say("dashboard http://127.0.0.1:\(port)/", always: true)
        }
    }

    mutating func onClose(_ ending: @escaping () -> Void) {
        endings.append(ending)
    }

    func startWorker(configuration: WorkerConfiguration, executable: String?) throws {
        try stage.startWorker(configuration: configuration, executable: executable)
        terminal.say(
            "broker \(stage.broker.bootstrapServers) · worker process \(stage.worker?.processID ?? 0), "
                + "log \(stage.logPath)"
        )
    }

    /// The run came to its end. With `--keep` broker and worker stay up until somebody interrupts, in a terminal for a
    /// while.
    mutating func finish() {
        isOver = true
        guard keep else { return showDashboard() }
        for line in Self.attachLines(stage) { terminal.say(line, always: true) }
        while !Interruption.isRequested {
            if let ending = stage.worker?.ending {
                terminal.say("the worker \(ending); see \(stage.logPath)", always: true)
                while !Interruption.isRequested { Interruption.sleep(seconds: 1) }
            }
            Interruption.sleep(seconds: 0.5)
        }
    }

    /// Where somebody looks on, there is time to look around on the page; where nobody does, the demo ends.
    private func showDashboard() {
        guard terminal.isWatched, let port = stage.dashboardPort else { return }
        terminal.say(
            "\nThe dashboard stays up for \(Self.minutesToLook) minutes: http://127.0.0.1:\(port)/    Ctrl-C ends it.",
            always: true)
        let end = MonotonicClock.seconds + Double(Self.minutesToLook) * 60
        while !Interruption.isRequested, MonotonicClock.seconds < end, stage.worker?.isRunning ?? false {
            Interruption.sleep(seconds: 0.5)
        }
    }

    private static let minutesToLook = 10

    mutating func close() {
        terminal.clearStatus()
        for ending in endings.reversed() { ending() }
        let hadDied = stage.worker.map { !$0.isRunning } ?? false
        stage.stopWorker()
        if hadDied, !Interruption.isRequested {
            terminal.say("the worker's files are left in \(stage.directory)", always: true)
        } else {
            stage.removeFiles()
        }
    }

    /// How to look at what went over the broker.
    private static func attachLines(_ stage: Stage) -> [String] {
        let broker = stage.broker.bootstrapServers
        return [
            "",
            "The broker stays up at \(broker) until Ctrl-C. To read along:",
            "  kcat -b \(broker) -L",
            "  kcat -b \(broker) -C -t \(Topics.requests) -o beginning -e",
            "  kcat -b \(broker) -C -t \(Topics.decisions) -o beginning -e",
            "  kcat -b \(broker) -C -t \(Topics.trainingStatus) -o beginning -e -f '%T %k %s\\n'",
            "The worker's configuration is \(stage.configurationPath), its log \(stage.logPath).",
        ]
            + ((try? stage.trimmedTopics()) ?? []).map {
                "The oldest records of \($0) are gone: the embedded broker keeps 5 MiB a partition."
            }
    }
}
