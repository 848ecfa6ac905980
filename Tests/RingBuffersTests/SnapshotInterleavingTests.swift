@testable import RingBuffers
import Testing

/// Protects the snapshot protocol under every interleaving of one write with one snapshot, without chance: the writer
/// runs between two chosen steps of the reader.
///
/// The same harness runs over deliberately broken readers and must find them out: a check that cannot fail proves
/// nothing.
struct SnapshotInterleavingTests {
    /// What the writer does while the reader copies.
    enum Write {
        case append(Int)
        case appendOneByOne(Int)
        case replaceAll(Int)
        case removeAll
        case removeAllThenAppend(Int)
        /// Stops in the middle: the elements are written, but not yet published.
        case appendUnfinished(Int)
    }

    /// The ring then has 20 slots: a write of more than 8 elements overtakes the reader of a full window.
    private static let capacity = 12

    private static let numbersBefore = [0, 1, 2, 6, 11, 12, 13, 19, 20, 21, 33]

    private static let writes: [Write] =
        [.removeAll]
        + [1, 2, 7, 8, 9, 10, 11, 12, 13, 25].flatMap { count -> [Write] in
            [
                .append(count), .appendOneByOne(count), .replaceAll(count), .removeAllThenAppend(count),
                .appendUnfinished(count),
            ]
        }

    @Test func everySnapshotIsTheWindowAtSomeMoment() {
        let found = findings(.real)
        #expect(found.violations.isEmpty, "\(found.violations.prefix(5))")
        // The harness must have forced both outcomes: undisturbed copies, and copies that had to be made again.
        #expect(found.undisturbed > 1000 && found.retried > 1000)
    }

    @Test(arguments: [SnapshotMethod.unchecked, .checkingOnlyWhatIsPublished])
    func brokenReadersAreFoundOut(_ method: SnapshotMethod) {
        #expect(!findings(method).violations.isEmpty)
    }

    /// A writer that overtakes every attempt: the reader gives up after as many as it was allowed, and says so.
    @Test func attemptsAreBounded() {
        var source = SampleSource()
        let window = SlidingWindow<CheckedSample>(capacity: Self.capacity)
        window.append(contentsOf: source.take(16))
        var lastAttempt = 0
        let snapshot = SnapshotMethod.real.take(from: window.storage, attempts: 7) { attempt, position in
            lastAttempt = attempt
            if position == 2 { for _ in 0..<16 { window.append(source.take(1)[0]) } }
        }
        #expect(snapshot == nil && lastAttempt == 6)
        #expect(window.reader.snapshot()?.last?.sequence == source.next - 1)
    }

    /// The surplus of slots: a writer that appends no more than that while the reader copies does not disturb it.
    @Test func aSlowWriterDisturbsNobody() {
        var source = SampleSource()
        let window = SlidingWindow<CheckedSample>(capacity: 640)
        window.append(contentsOf: source.take(1000))
        var attempts = 0
        let snapshot = SnapshotMethod.real.take(from: window.storage, attempts: 5) { attempt, position in
            attempts = attempt + 1
            if position % 32 == 0 && position < 640 { window.append(source.take(1)[0]) }
        }
        #expect(attempts == 1)
        #expect(snapshot?.first?.sequence == 360 && snapshot?.last?.sequence == 999)
    }

    private struct Findings {
        var violations: [String] = []
        var undisturbed = 0
        var retried = 0
    }

    /// Every number of elements before, every kind of write, and every step of the reader at which it can happen.
    private func findings(_ method: SnapshotMethod) -> Findings {
        var findings = Findings()
        for before in Self.numbersBefore {
            for write in Self.writes {
                for step in 0...min(before, Self.capacity) {
                    examine(method, before: before, write, atStep: step, &findings)
                }
            }
        }
        return findings
    }

    private func examine(
        _ method: SnapshotMethod, before: Int, _ write: Write, atStep step: Int, _ findings: inout Findings
    ) {
        var source = SampleSource()
        let window = SlidingWindow<CheckedSample>(capacity: Self.capacity)
        for sample in source.take(before) { window.append(sample) }
        let old = window.reader.snapshot()
        var lastAttempt = 0
        let snapshot = method.take(from: window.storage, attempts: 3) { attempt, position in
            lastAttempt = attempt
            if attempt == 0 && position == step { perform(write, on: window, &source) }
        }
        if lastAttempt == 0 { findings.undisturbed += 1 } else { findings.retried += 1 }
        // One write, so only two moments: before it and after it.
        let new = window.reader.snapshot()
        var isRight = snapshot == old || snapshot == new
        switch write {
        case .appendOneByOne, .removeAllThenAppend:
            // Several steps, with moments in between: the samples themselves say what is right.
            isRight = snapshot.map { violation(of: $0, capacity: Self.capacity) == nil } ?? false
        case .appendUnfinished:
            // While the writer is inside, the reader may find no moment at all; it must not invent one.
            isRight = snapshot == nil || snapshot == old
        default: break
        }
        if !isRight {
            let content = snapshot.map { samples in samples.map(\.sequence) }
            findings.violations.append("\(before) before, \(write) at step \(step): \(content ?? [])")
        }
    }

    private func perform(_ write: Write, on window: SlidingWindow<CheckedSample>, _ source: inout SampleSource) {
        switch write {
        case .append(let count): window.append(contentsOf: source.take(count))
        case .appendOneByOne(let count): for sample in source.take(count) { window.append(sample) }
        case .replaceAll(let count): window.replaceAll(with: source.takeEpoch(count))
        case .removeAll:
            _ = source.takeEpoch(0)
            window.removeAll()
        case .removeAllThenAppend(let count):
            _ = source.takeEpoch(0)
            window.removeAll()
            for sample in source.take(count) { window.append(sample) }
        case .appendUnfinished(let count):
            // What append(contentsOf:) does before it publishes.
            let samples = source.take(count).suffix(window.capacity)
            window.storage.begin(end: window.end + UInt64(samples.count))
            samples.withUnsafeBufferPointer { _ = window.storage.write($0, fromSlot: window.nextSlot) }
        }
    }
}
