/// Which checkpoint committed an offset: stands beside it as the group's metadata.
struct CheckpointToken: Equatable {
    var checkpoint: UInt64
    var owner: String
    /// With `scale: partitioned`: how many partitions predictions had.
    var keyPartitions: Int?

    private static let prefix = "driftgate"

    var text: String {
        "\(Self.prefix):\(checkpoint)\(keyPartitions.map { "/\($0)" } ?? ""):\(owner)"
    }

    init(checkpoint: UInt64, owner: String, keyPartitions: Int?) {
        self.checkpoint = checkpoint
        self.owner = owner
        self.keyPartitions = keyPartitions
    }

    /// Nil for what somebody else wrote.
    init?(_ text: String?) {
        let parts = (text ?? "").split(separator: ":", maxSplits: 2)
        guard parts.count == 3, parts[0] == Self.prefix else { return nil }
        let numbers = parts[1].split(separator: "/", maxSplits: 1)
        guard let checkpoint = UInt64(numbers[0]) else { return nil }
        self.checkpoint = checkpoint
        owner = String(parts[2])
        keyPartitions = numbers.count == 2 ? Int(numbers[1]) : nil
    }
}
