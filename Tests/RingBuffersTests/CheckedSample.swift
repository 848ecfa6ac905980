/// A sample that says of itself what a snapshot which holds it must look like.
///
/// The writer numbers its samples 0, 1, 2, …; each `removeAll` or `replaceAll` begins an *epoch*. From the newest
/// sample of a snapshot then follows the whole snapshot: which samples, and how many.
struct CheckedSample: BitwiseCopyable, Equatable, Sendable {
    let sequence: UInt64
    /// The number of the first sample of the epoch.
    let epochStart: UInt64
    /// The number of samples with which the epoch began, in one step.
    let epochCount: UInt64
    /// Of the other three: a mix of two samples' words does not have it.
    let checksum: UInt64

    init(sequence: UInt64, epochStart: UInt64, epochCount: UInt64) {
        self.sequence = sequence
        self.epochStart = epochStart
        self.epochCount = epochCount
        checksum = Self.checksum(sequence, epochStart, epochCount)
    }

    var isTorn: Bool { checksum != Self.checksum(sequence, epochStart, epochCount) }

    private static func checksum(_ a: UInt64, _ b: UInt64, _ c: UInt64) -> UInt64 {
        var mixed = a &* 0x9E37_79B9_7F4A_7C15 ^ b &* 0xC2B2_AE3D_27D4_EB4F ^ c &* 0x1656_67B1_9E37_79F9
        mixed ^= mixed >> 31
        return mixed &* 0xBF58_476D_1CE4_E5B9
    }
}

/// Makes the samples that a writer appends.
struct SampleSource {
    private(set) var next: UInt64 = 0
    private var epochStart: UInt64 = 0
    private var epochCount: UInt64 = 1

    mutating func take(_ count: Int) -> [CheckedSample] {
        (0..<count).map { _ in
            defer { next += 1 }
            return CheckedSample(sequence: next, epochStart: epochStart, epochCount: epochCount)
        }
    }

    /// Begins an epoch by `count` samples written in one step; 0 stands for `removeAll`.
    mutating func takeEpoch(_ count: Int) -> [CheckedSample] {
        epochStart = next
        epochCount = UInt64(max(count, 1))
        return take(count)
    }
}

/// What is wrong with a snapshot, as a window of `capacity` samples; nil if it is the window at some moment.
///
/// An empty snapshot says nothing of itself: it is right at the start, or after a `removeAll`.
func violation(of snapshot: [CheckedSample], capacity: Int) -> String? {
    if let torn = snapshot.firstIndex(where: \.isTorn) { return "the sample at \(torn) is torn" }
    guard let first = snapshot.first, let last = snapshot.last else { return nil }
    for (position, sample) in snapshot.enumerated() {
        guard sample.sequence == first.sequence + UInt64(position) else {
            return "sample \(sample.sequence) at position \(position) after \(first.sequence)"
        }
        guard sample.epochStart == last.epochStart else {
            return "mixes the content before sample \(last.epochStart) with what came after"
        }
    }
    let written = last.sequence - last.epochStart + 1
    if written < last.epochCount { return "holds \(written) of \(last.epochCount) samples that are one step" }
    let expected = min(UInt64(capacity), written)
    return UInt64(snapshot.count) == expected ? nil : "holds \(snapshot.count) samples instead of \(expected)"
}
