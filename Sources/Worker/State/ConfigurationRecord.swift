import StateRecords

/// The configuration that the evaluations since the snapshot were made by: doing them again needs the same.
struct ConfigurationRecord: Equatable {
    var fingerprint: String
    /// `WorkerOptions.settings`.
    var settings: String

    func sealed() -> [UInt8] {
        var writer = BinaryWriter()
        writer.text(fingerprint)
        writer.text(settings)
        return StateFrame.seal(.configuration, writer.bytes)
    }
}

extension ConfigurationRecord {
    init(_ payload: ArraySlice<UInt8>) throws(StateFault) {
        var reader = BinaryReader(payload)
        fingerprint = try reader.text()
        settings = try reader.text()
    }
}
