import Foundation
import RingBuffers
import Synchronization
import Testing

/// Protects the window with real threads: one writer at full speed, three readers, whose every snapshot must be whole.
///
/// Under ThreadSanitizer this is also the proof that there is no data race:
/// `TSAN_OPTIONS=history_size=7 swift test --sanitize thread --scratch-path .build-tsan --filter RingBuffersTests`.
/// With `DRIFTGATE_SHOW_RACE=1` the same stress runs over a window whose payload is plain memory, and the sanitizer
/// must report it; if it does not, its silence about the real window is worth nothing.
struct SlidingWindowStressTests {
    @Test(arguments: [1, 5, 100, 1000])
    func readersSeeWholeSnapshotsOnly(_ capacity: Int) {
        let window = SlidingWindow<CheckedSample>(capacity: capacity)
        let reader = window.reader
        let outcome = stress(
            capacity: capacity,
            append: { window.append(contentsOf: $0) },
            replaceAll: { window.replaceAll(with: $0) },
            removeAll: { window.removeAll() },
            snapshot: { reader.snapshot() })
        #expect(outcome.findings == [])
        #expect(reader.snapshot() == outcome.content)
    }

    @Test(
        .enabled(
            if: ProcessInfo.processInfo.environment["DRIFTGATE_SHOW_RACE"] == "1",
            "only on request (DRIFTGATE_SHOW_RACE=1), under ThreadSanitizer: it has a race on purpose"))
    func aPlainPayloadRaces() {
        let window = PlainPayloadWindow(capacity: 100)
        _ = stress(
            capacity: 100,
            append: { window.append($0) },
            replaceAll: { window.append($0) },
            removeAll: {},
            snapshot: { window.snapshot() })
    }

    private final class Outcome: @unchecked Sendable {
        /// What the readers found wrong.
        let readerFindings = Findings()
        /// The content after the last write; set by the writer's thread, read when it has ended.
        var content: [CheckedSample] = []

        var findings: [String] { readerFindings.first }
    }

    private func stress(
        capacity: Int, append: @escaping ([CheckedSample]) -> Void, replaceAll: @escaping ([CheckedSample]) -> Void,
        removeAll: @escaping () -> Void, snapshot: @escaping @Sendable () -> [CheckedSample]?
    ) -> Outcome {
        let isDone = Atomic<Bool>(false)
        let outcome = Outcome()
        let write = Handover(value: (append: append, replaceAll: replaceAll, removeAll: removeAll))

        let writer: @Sendable () -> Void = {
            var random = SplitMix64(seed: UInt64(capacity))
            var source = SampleSource()
            var model: [CheckedSample] = []
            for _ in 0..<20_000 {
                switch random.below(200) {
                case 0:
                    _ = source.takeEpoch(0)
                    write.value.removeAll()
                    model = []
                case 1...4:
                    model = source.takeEpoch(1 + random.below(capacity))
                    write.value.replaceAll(model)
                default:
                    let samples = source.take(1 + random.below(4))
                    write.value.append(samples)
                    model = (model + samples).suffix(capacity)
                }
            }
            outcome.content = model
            isDone.store(true, ordering: .releasing)
        }
        let reader: @Sendable () -> Void = {
            var newest: UInt64 = 0
            while !isDone.load(ordering: .acquiring) {
                guard let taken = snapshot(), let last = taken.last else { continue }
                if let wrong = violation(of: taken, capacity: capacity) { outcome.readerFindings.add(wrong) }
                if last.sequence < newest {
                    outcome.readerFindings.add("goes back from sample \(newest) to \(last.sequence)")
                }
                newest = last.sequence
            }
        }
        runThreads([writer, reader, reader, reader])
        return outcome
    }
}

/// A window with the right protocol and the wrong payload: plain memory, read while it may be written.
///
/// The check discards what was torn, so that it usually works; by the rules of the memory model it is undefined.
private final class PlainPayloadWindow: @unchecked Sendable {
    private let slots: UnsafeMutablePointer<CheckedSample>
    private let slotCount: Int
    private let capacity: Int
    private let begun = Atomic<Int>(0)
    private let published = Atomic<Int>(0)

    init(capacity: Int) {
        self.capacity = capacity
        slotCount = capacity + 8
        slots = .allocate(capacity: slotCount)
        slots.initialize(
            repeating: CheckedSample(sequence: 0, epochStart: 0, epochCount: 0), count: slotCount)
    }

    deinit { slots.deallocate() }

    func append(_ samples: [CheckedSample]) {
        let end = published.load(ordering: .relaxed)
        begun.store(end + samples.count, ordering: .relaxed)
        atomicMemoryFence(ordering: .releasing)
        for (offset, sample) in samples.enumerated() { slots[(end + offset) % slotCount] = sample }
        published.store(end + samples.count, ordering: .releasing)
    }

    func snapshot() -> [CheckedSample]? {
        let end = published.load(ordering: .acquiring)
        let start = max(0, end - capacity)
        var copied: [CheckedSample] = []
        for index in start..<end {
            let sample = slots[index % slotCount]
            copied.append(sample)
        }
        atomicMemoryFence(ordering: .acquiring)
        return begun.load(ordering: .relaxed) <= start + slotCount ? copied : nil
    }
}
