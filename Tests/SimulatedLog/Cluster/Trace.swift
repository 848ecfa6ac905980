/// What happened last, for a person who looks into a failing seed.
public final class Trace {
    /// Nothing is formatted while this is false.
    public var isRecording: Bool
    private let capacity: Int
    private var lines: [String] = []
    private var next = 0
    /// How many events there were.
    public private(set) var count = 0
    /// Equal for equal sequences of events, those that the ring has forgotten included.
    public private(set) var digest: UInt64 = 0xCBF2_9CE4_8422_2325

    public init(capacity: Int = 400, isRecording: Bool = false) {
        self.capacity = max(1, capacity)
        self.isRecording = isRecording
    }

    public func note(_ time: Int64, _ text: @autoclosure () -> String) {
        guard isRecording else { return }
        let line = "\(time) \(text())"
        // FNV-1a.
        for byte in line.utf8 { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3 }
        count += 1
        if lines.count < capacity {
            lines.append(line)
        } else {
            lines[next] = line
            next = (next + 1) % capacity
        }
    }

    /// The last events, oldest first, one a line.
    public var text: String { (lines[next...] + lines[..<next]).joined(separator: "\n") }
}
