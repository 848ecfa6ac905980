/// What a record on an input topic stands for. The topic decides, never the record.
public enum RecordRole: String, Sendable, CaseIterable {
    case prediction
    case actual
    case load
    case trainingStatus = "training_status"
    case command
}
