import Kafka
import Retraining
import Worker

/// Whether a restart would find what it has to read again, and how much that is.
enum RestoreCheck {
    /// First and next offset of a partition.
    typealias Marks = [TopicPartition: (low: Int64, high: Int64)]

    static func findings(
        _ state: TaskState?, _ marks: Marks, _ options: TopicOptions, group: String, applicationID: String
    ) -> [DoctorFinding] {
        let topic = options.names.state
        guard let state else {
            return [DoctorFinding(.good, topic, "empty: the next start is a first one")]
        }
        guard state.group == group, state.applicationID == applicationID else {
            return [
                DoctorFinding(
                    .error, topic, "holds the state of group \(state.group), application \(state.applicationID)",
                    remedy: "set topics.state to a topic of this installation's own")
            ]
        }
        var findings: [DoctorFinding] = []
        var again: Int64 = 0
        var behind: Int64 = 0
        for input in state.inputs {
            guard let marks = marks[input.partition] else { continue }
            again += max(0, input.next - max(input.replayFrom, marks.low))
            behind += max(0, marks.high - input.next)
            if marks.low > input.replayFrom {
                findings.append(
                    DoctorFinding(
                        .error, "\(input.partition)",
                        "begins at offset \(marks.low), and a restart has to read from \(input.replayFrom): "
                            + "\(marks.low - input.replayFrom) records are gone, so the state will not be exact",
                        remedy: options.alter(
                            input.partition.topic, "retention.ms", String(options.lookback + .day))))
            } else if marks.high < input.next {
                findings.append(
                    DoctorFinding(
                        .error, "\(input.partition)",
                        "ends at \(marks.high), and \(input.next) was committed: the topic was made anew",
                        remedy: "driftgate topics create    # then begin anew as docs/runbook.md says"))
            }
        }
        let configuration = state.configuration.map { ", configuration \($0)" } ?? ""
        findings.append(
            DoctorFinding(
                .good, "\(topic)-\(state.task)",
                "checkpoint \(state.checkpoint) by \(state.owner)\(configuration); a restart reads \(state.bytes / 1000) kB "
                    + "of state and \(again) records again, and does \(state.evaluations) evaluations again; "
                    + "\(behind) records are still to come"))
        return findings
    }
}
