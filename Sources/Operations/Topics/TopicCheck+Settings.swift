import Kafka
import Retraining

extension TopicCheck {
    static func check(
        _ settings: [String: String], of topic: Metadata.Topic, _ metadata: Metadata, _ options: TopicOptions
    ) -> [TopicFinding] {
        let reader = SettingsReader(topic: topic.name, settings: settings, options: options)
        var findings = topic.name == options.names.state ? reader.state() : reader.cleanup() + reader.retention()
        if options.inputs.contains(topic.name) { findings += reader.timestamps() }
        if topic.name == options.names.deadLetters { findings += reader.deadLetters() }
        let replicas = topic.partitions.map(\.replicas.count).min() ?? 0
        return findings + reader.replication(replicas: replicas)
    }
}

/// One topic's settings, held against the needs of its role.
private struct SettingsReader {
    let topic: String
    let settings: [String: String]
    let options: TopicOptions

    private func number(_ key: String) -> Int64? { settings[key].flatMap { Int64($0) } }

    private var policies: Set<String> {
        Set((settings["cleanup.policy"] ?? "delete").split(separator: ",").map { $0.filter { $0 != " " } })
    }

    private func finding(
        _ severity: TopicFinding.Severity, _ text: String, _ setting: String, _ value: some CustomStringConvertible
    ) -> TopicFinding {
        .init(severity, topic: topic, text, remedy: options.alter(topic, setting, value.description))
    }

    // MARK: State

    func state() -> [TopicFinding] {
        var findings: [TopicFinding] = []
        if policies != ["compact"] {
            findings.append(
                finding(
                    .error,
                    "has cleanup.policy=\(settings["cleanup.policy"] ?? "delete"), which deletes state by age: a worker "
                        + "would restore without baselines, history and open requests",
                    "cleanup.policy", "compact"))
        }
        if let bytes = number("max.message.bytes"), bytes < TopicOptions.stateMessageBytes {
            findings.append(
                finding(
                    .error,
                    "takes records up to max.message.bytes=\(bytes), and state comes in records up to "
                        + "\(TopicOptions.stateRecordBytes) bytes",
                    "max.message.bytes", 2 * TopicOptions.stateMessageBytes))
        }
        if let bytes = number("segment.bytes"), bytes > 256 << 20 {
            findings.append(
                finding(
                    .warning,
                    "has segment.bytes=\(bytes): the newest segment is never compacted, and a restore reads all of it",
                    "segment.bytes", 64 << 20))
        }
        if let time = number("segment.ms"), time > .day {
            findings.append(
                finding(
                    .warning,
                    "has segment.ms=\(time) (\(days(time))): what is in the newest segment is not compacted before",
                    "segment.ms", Milliseconds.hour))
        }
        if let time = number("delete.retention.ms"), time < .hour {
            findings.append(
                finding(
                    .warning,
                    "has delete.retention.ms=\(time): a restore that takes longer could miss that something was deleted",
                    "delete.retention.ms", Milliseconds.day))
        }
        return findings
    }

    // MARK: Inputs and outputs

    func cleanup() -> [TopicFinding] {
        guard policies.contains("compact") else { return [] }
        return [
            finding(
                .error,
                "has cleanup.policy=\(settings["cleanup.policy"] ?? ""): of records with the same key only the last is "
                    + "kept, and all of them count",
                "cleanup.policy", "delete")
        ]
    }

    func retention() -> [TopicFinding] {
        guard let time = number("retention.ms"), time >= 0 else { return sizeLimit() }
        let isInput = options.inputs.contains(topic)
        var findings: [TopicFinding] = []
        if isInput, time <= options.restoreReach {
            findings.append(
                finding(
                    .error,
                    "keeps records for \(days(time)), and a restart reads the last \(days(options.restoreReach)) again: "
                        + "predictions and actuals that wait for each other would be lost",
                    "retention.ms", options.lookback + .day))
        } else if isInput || topic == options.names.requests, time < options.lookback {
            findings.append(
                finding(
                    .warning,
                    "keeps records for \(days(time)), and a first start reads back "
                        + "\(days(options.lookback)) (worker.first_start_lookback_days)",
                    "retention.ms", options.lookback + .day))
        } else if options.paired.contains(topic), time < options.trainingWindow {
            findings.append(
                finding(
                    .warning,
                    "keeps records for \(days(time)), and a training request points at the last "
                        + "\(days(options.trainingWindow)) (training_window_days): it will say that data is missing",
                    "retention.ms", options.trainingWindow + .day))
        }
        return findings + sizeLimit()
    }

    private func sizeLimit() -> [TopicFinding] {
        guard options.inputs.contains(topic), let bytes = number("retention.bytes"), bytes >= 0 else { return [] }
        return [
            finding(
                .warning,
                "has retention.bytes=\(bytes), which can delete records before retention.ms does", "retention.bytes", -1
            )
        ]
    }

    func timestamps() -> [TopicFinding] {
        guard settings["message.timestamp.type"] == "LogAppendTime" else { return [] }
        return [
            finding(
                .warning,
                "has message.timestamp.type=LogAppendTime: records are ordered by when they arrived, so history that is "
                    + "loaded afterwards all falls into one moment",
                "message.timestamp.type", "CreateTime")
        ]
    }

    func deadLetters() -> [TopicFinding] {
        guard let bytes = number("max.message.bytes"), bytes < TopicOptions.deadLetterBytes else { return [] }
        return [
            finding(
                .error,
                "takes records up to max.message.bytes=\(bytes): the dead letter of a large record could not be written, "
                    + "and the worker would stop",
                "max.message.bytes", 2 * TopicOptions.deadLetterBytes)
        ]
    }

    // MARK: Replication

    func replication(replicas: Int) -> [TopicFinding] {
        guard let least = number("min.insync.replicas"), replicas > 0 else { return [] }
        if least > replicas {
            return [
                finding(
                    .error,
                    "has min.insync.replicas=\(least) and \(replicas) replicas: no record is ever acknowledged",
                    "min.insync.replicas", max(1, replicas - 1))
            ]
        }
        if least == replicas, replicas > 1 {
            return [
                finding(
                    .warning,
                    "has min.insync.replicas=\(least) of \(replicas) replicas: nothing can be written while one broker "
                        + "restarts",
                    "min.insync.replicas", replicas - 1)
            ]
        }
        if least == 1, replicas >= 3 {
            return [
                finding(
                    .warning,
                    "has min.insync.replicas=1: an acknowledged record may be on one broker only",
                    "min.insync.replicas", 2)
            ]
        }
        return []
    }

    private func days(_ time: Milliseconds) -> String {
        for (unit, name) in [(Milliseconds.day, "day"), (.hour, "hour"), (.minute, "minute"), (1_000, "second")]
        where time >= unit && time % unit == 0 {
            return "\(time / unit) \(name)\(time == unit ? "" : "s")"
        }
        return "\((Double(time) / 3_600_000 * 10).rounded() / 10) hours"
    }
}
