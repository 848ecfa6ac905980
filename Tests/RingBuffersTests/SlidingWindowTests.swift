import RingBuffers
import Testing

/// Protects the window's content against a plain array that does the same.
struct SlidingWindowTests {
    @Test(arguments: [1, 2, 3, 7, 8, 64, 300], 0..<4 as Range<UInt64>)
    func everyOperationEqualsThatOfAnArray(_ capacity: Int, _ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var source = SampleSource()
        let window = SlidingWindow<CheckedSample>(capacity: capacity)
        let reader = window.reader
        var model: [CheckedSample] = []
        var reused: [CheckedSample] = []
        for _ in 0..<400 {
            switch random.below(10) {
            case 0:
                _ = source.takeEpoch(0)
                window.removeAll()
                model = []
            case 1:
                // Up to more than the capacity: the excess must fall off at the old end.
                model = source.takeEpoch(random.below(capacity + 5))
                window.replaceAll(with: model)
            case 2...5:
                let samples = source.take(random.below(2 * capacity + 3))
                window.append(contentsOf: samples)
                model += samples
            default:
                let samples = source.take(1)
                window.append(samples[0])
                model += samples
            }
            model = model.suffix(capacity)
            #expect(window.count == model.count && window.isEmpty == model.isEmpty)
            #expect(reader.count == model.count)
            #expect(contentInPlace(of: window) == model)
            #expect(reader.snapshot() == model)
            let isComplete = reader.snapshot(into: &reused)
            #expect(isComplete && reused == model)
        }
    }

    @Test func spansAreTakenToo() {
        let window = SlidingWindow<Int64>(capacity: 4)
        let values: [Int64] = [1, 2, 3, 4, 5, 6]
        window.append(contentsOf: values.span)
        #expect(window.reader.snapshot() == [3, 4, 5, 6])
        window.replaceAll(with: values.span.extracting(0..<2))
        #expect(window.reader.snapshot() == [1, 2])
        #expect(window[0] == 1 && window[1] == 2)
    }

    /// The writer thins its window by replacing it with a selection of itself.
    @Test func aWindowCanBeThinned() {
        let window = SlidingWindow<Int64>(capacity: 100)
        for value in 0..<250 { window.append(Int64(value)) }
        var kept: [Int64] = []
        window.forEach { if $0 % 2 == 0 { kept.append($0) } }
        window.replaceAll(with: kept)
        window.append(250)
        #expect(window.reader.snapshot() == Array(stride(from: 150, through: 250, by: 2)))
    }

    /// Elements whose size is no multiple of their stride have padding, which must neither be read nor compared.
    @Test func paddedElementsAreKeptWhole() {
        struct Padded: BitwiseCopyable, Equatable, Sendable {
            var value: Double
            var count: Int32
            var flag: Bool
        }
        let window = SlidingWindow<Padded>(capacity: 3)
        let samples = (0..<5).map { Padded(value: Double($0), count: Int32($0), flag: $0 % 2 == 0) }
        for sample in samples { window.append(sample) }
        #expect(window.reader.snapshot() == Array(samples.suffix(3)))
    }

    /// Dashboards may look at a series that the engine has already forgotten.
    @Test func aReaderOutlivesTheWindow() {
        var window: SlidingWindow<Int64>? = SlidingWindow(capacity: 2)
        window?.append(7)
        let reader = window?.reader
        window = nil
        #expect(reader?.snapshot() == [7])
    }

    @Test func aSnapshotNeedsNoAllocation() {
        let window = SlidingWindow<Int64>(capacity: 3)
        window.append(contentsOf: [1, 2, 3, 4])
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: 3) { buffer in
            #expect(window.reader.snapshot(into: buffer) == 3)
            #expect(Array(buffer) == [2, 3, 4])
        }
    }

    private func contentInPlace(of window: SlidingWindow<CheckedSample>) -> [CheckedSample] {
        window.withElements { older, newer in
            var elements: [CheckedSample] = []
            for index in older.indices { elements.append(older[index]) }
            for index in newer.indices { elements.append(newer[index]) }
            return elements
        }
    }
}
