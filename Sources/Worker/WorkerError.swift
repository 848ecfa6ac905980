/// Why a worker could not start.
public enum WorkerError: Error, CustomStringConvertible {
    case missingTopics([String])
    case partitions(String)
    case fieldMap(String)

    public var description: String {
        switch self {
        case .missingTopics(let topics):
            """
            these topics do not exist: \(topics.joined(separator: ", ")). Create them with `driftgate topics create`, \
            or correct `topics` in the configuration.
            """
        case .partitions(let text): text + ". Create the topics with `driftgate topics create`."
        case .fieldMap(let text): "field_map: \(text)"
        }
    }
}
