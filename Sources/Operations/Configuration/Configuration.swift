public import Retraining
public import Worker

/// All settings of the worker, read from defaults, a YAML file, the environment and `--set` arguments.
///
/// ```swift
/// let configuration = try Configuration.load(
///     file: "driftgate.yaml", environment: ProcessInfo.processInfo.environment, overrides: ["log_level=debug"])
/// ```
///
/// The defaults of `Configuration()` are the documented defaults: documentation and JSON Schema read them from there.
public struct Configuration: Sendable {
    /// What the engine decides by. Complete: the local calendar and the reply topic are worked out.
    public var engine = EngineConfiguration()
    public var kafka = KafkaSettings()
    public var topics = TopicNames()
    public var worker = WorkerSettings()
    public var input = InputSettings()
    public var contracts = FieldMaps()
    public var output = OutputSettings()
    public var http = HTTPSettings()
    public var delivery = AlertDelivery()
    /// As written in the file; `engine.quiet.calendar` and `engine.quiet.blackouts` are worked out from it.
    public var calendar = CalendarSettings()
    public var logLevel = LogLevel.info

    /// Where each key that is not at its default was set, by dotted key.
    public internal(set) var origins: [String: Origin] = [:]

    public init() {}

    /// Where `key` got its value: for `models.tft-prod.mode` the nearest key above it that was set, if it was not.
    public func origin(of key: String) -> Origin {
        var candidate = Substring(key)
        while true {
            if let origin = origins[String(candidate)] { return origin }
            guard let dot = candidate.lastIndex(of: ".") else { return .default }
            candidate = candidate[..<dot]
        }
    }
}

/// What the log says: messages of this level and above. The names are swift-log's.
public enum LogLevel: String, Sendable, CaseIterable { case trace, debug, info, notice, warning, error, critical }

/// Where a setting came from. Later layers win: default < file < environment < argument.
public enum Origin: Sendable, Hashable, CustomStringConvertible {
    case `default`
    /// Line and column count from 1; the column counts Unicode scalars. Line 0 stands for the file as a whole.
    case file(path: String, line: Int, column: Int)
    case environment(variable: String)
    /// The whole argument after `--set`.
    case argument(String)

    public var description: String {
        switch self {
        case .default: "default"
        case .file(let path, 0, _): path
        case .file(let path, let line, let column): "\(path):\(line):\(column)"
        case .environment(let variable): "environment variable \(variable)"
        case .argument(let text): "--set \(text)"
        }
    }
}
