import StateRecords

/// Records of the state topic, for whoever looks at them from outside of a worker: a fuzzer, or a tool.
public enum StateRecords {
    /// What is wrong with a record; nil where a restore can use it, or leaves it alone because of its key.
    public static func fault(key: [UInt8], value: [UInt8]) -> String? {
        do throws(StateFault) {
            guard let key = StateKey(key) else { return nil }
            let frame = try StateFrame.open(value[...])
            switch key {
            case .position: _ = try PositionRecord(frame.payload)
            case .cut: _ = try CutRecord(frame.payload)
            case .chunk: _ = try SnapshotChunk(frame.payload)
            case .configuration: _ = try ConfigurationRecord(frame.payload)
            }
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// The same for what stands inside of the frame: what a checksum that happens to be right lets through.
    public static func fault(key: [UInt8], payload: [UInt8]) -> String? {
        let kind: StateFrame.Kind
        switch StateKey(key) {
        case .position: kind = .position
        case .cut: kind = .cut
        case .chunk: kind = .chunk
        case .configuration: kind = .configuration
        case nil: return nil
        }
        return fault(key: key, value: StateFrame.seal(kind, payload))
    }
}
