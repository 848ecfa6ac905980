/// Which checkpoint committed an offset: stands beside it as the group's metadata.
package struct CheckpointToken: Equatable {
    package var checkpoint: UInt64
    package var owner: String
    /// With `scale: partitioned`: how many partitions predictions had.
    package var keyPartitions: Int?

    private static let prefix = "driftgate"

    package var text: String {
        "\(Self.prefix):\(checkpoint)\(keyPartitions.map { "/\($0)" } ?? ""):\(owner)"
    }

    package init(checkpoint: UInt64, owner: String, keyPartitions: Int?) {
        self.checkpoint = checkpoint
        self.owner = owner
        self.keyPartitions = keyPartitions
    }

    /// Nil for what somebody else wrote.
    package init?(_ text: String?) {
        let parts = (text ?? "").split(separator: ":", maxSplits: 2)
        guard parts.count == 3, parts[0] == Self.prefix else { return nil }
        let numbers = parts[1].split(separator: "/", maxSplits: 1)
        guard let checkpoint = UInt64(numbers[0]) else { return nil }
        self.checkpoint = checkpoint
        owner = String(parts[2])
        keyPartitions = numbers.count == 2 ? Int(numbers[1]) : nil
    }
}
