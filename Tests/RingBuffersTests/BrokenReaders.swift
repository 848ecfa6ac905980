@testable import RingBuffers
import Synchronization

/// How a snapshot is taken: rightly, or with a mistake that the tests must be able to see.
enum SnapshotMethod: CaseIterable {
    case real
    /// Copies and hopes.
    case unchecked
    /// Checks what was published, but not what the writer has begun to overwrite.
    case checkingOnlyWhatIsPublished

    func take(
        from storage: SlidingWindowStorage<CheckedSample>, attempts: Int, onStep: (Int, Int) -> Void
    ) -> [CheckedSample]? {
        withUnsafeTemporaryAllocation(of: CheckedSample.self, capacity: storage.capacity) { buffer in
            let memory = UnsafeMutableRawPointer(buffer.baseAddress!)
            let count =
                self == .real
                ? storage.snapshot(into: memory, attempts: attempts, onStep: onStep)
                : takeWithMistake(from: storage, into: memory, attempts: attempts, onStep: onStep)
            return count.map { Array(buffer[..<$0]) }
        }
    }

    private func takeWithMistake(
        from storage: SlidingWindowStorage<CheckedSample>, into memory: UnsafeMutableRawPointer, attempts: Int,
        onStep: (Int, Int) -> Void
    ) -> Int? {
        for attempt in 0..<attempts {
            let count = storage.publishedCount
            let start = end(of: storage) - UInt64(count)
            for position in 0..<count {
                onStep(attempt, position)
                let slot = Int((start + UInt64(position)) % UInt64(storage.slotCount))
                storage.copy(slot: slot, to: memory + position * MemoryLayout<CheckedSample>.stride)
            }
            onStep(attempt, count)
            if self == .unchecked || end(of: storage) <= start + UInt64(storage.slotCount) { return count }
        }
        return nil
    }

    private func end(of storage: SlidingWindowStorage<CheckedSample>) -> UInt64 {
        storage.published.load(ordering: .acquiring) >> 20
    }
}
