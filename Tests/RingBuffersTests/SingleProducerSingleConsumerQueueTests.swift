import Foundation
import RingBuffers
import Synchronization
import Testing

/// Protects the queue between two threads: order, bounds, closing, and that nobody sleeps for ever.
struct SingleProducerSingleConsumerQueueTests {
    @Test(arguments: [1, 2, 5, 16, 100], 0..<4 as Range<UInt64>)
    func everyOperationEqualsThatOfAnArray(_ capacity: Int, _ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let queue = SingleProducerSingleConsumerQueue<Int>(minimumCapacity: capacity)
        #expect(queue.capacity >= capacity && queue.capacity.nonzeroBitCount == 1)
        var model: [Int] = []
        var next = 0
        for _ in 0..<1000 {
            switch random.below(5) {
            case 0:
                let isTaken = queue.push(next)
                #expect(isTaken == (model.count < queue.capacity))
                if isTaken {
                    model.append(next)
                    next += 1
                }
            case 1, 2:
                let batch = Array(next..<(next + random.below(2 * capacity + 2)))
                let taken = random.below(2) == 0 ? queue.push(contentsOf: batch) : queue.push(contentsOf: batch[...])
                #expect(taken == min(batch.count, queue.capacity - model.count))
                model += batch.prefix(taken)
                next += taken
            case 3:
                let element = queue.pop()
                #expect(element == (model.isEmpty ? nil : model.removeFirst()))
            default:
                var popped = [-1]
                let limit = random.below(capacity + 2)
                let count = queue.pop(into: &popped, atMost: limit)
                #expect(count == min(limit, model.count))
                #expect(popped == [-1] + model.prefix(count))
                model.removeFirst(count)
            }
            #expect(queue.count == model.count)
        }
    }

    @Test func aClosedQueueIsDrainedButNotFilled() {
        let queue = SingleProducerSingleConsumerQueue<Int>(minimumCapacity: 4)
        #expect(queue.push(contentsOf: [1, 2]) == 2)
        #expect(!queue.isClosed && !queue.isFinished)
        queue.close()
        queue.close()
        #expect(!queue.push(3) && queue.push(contentsOf: [3]) == 0)
        #expect(queue.isClosed && !queue.isFinished)
        #expect(queue.pop() == 1 && queue.pop() == 2 && queue.pop() == nil)
        #expect(queue.isFinished)
    }

    /// What is inside is released once: popped, or with the queue.
    @Test func elementsAreReleasedExactlyOnce() {
        final class Tracked: Sendable {
            let released: Released
            init(_ released: Released) { self.released = released }
            deinit { released.count.add(1, ordering: .relaxed) }
        }
        final class Released: Sendable {
            let count = Atomic<Int>(0)
        }
        let released = Released()
        do {
            let queue = SingleProducerSingleConsumerQueue<Tracked>(minimumCapacity: 4)
            for _ in 0..<7 {
                _ = queue.push(Tracked(released))
                _ = queue.push(Tracked(released))
                _ = queue.pop()
            }
            // 14 made; 7 popped; 4 fit of the 7 others, 3 were refused.
            #expect(released.count.load(ordering: .relaxed) == 14 - queue.count)
        }
        #expect(released.count.load(ordering: .relaxed) == 14)
    }

    /// A body that throws has consumed the element that it threw on, and nothing after it.
    @Test func aThrowingConsumerLosesNothing() {
        struct Refused: Error {}
        let queue = SingleProducerSingleConsumerQueue<Int>(minimumCapacity: 8)
        _ = queue.push(contentsOf: [1, 2, 3, 4])
        var seen: [Int] = []
        #expect(throws: Refused.self) {
            _ = try queue.consume(atMost: 4) { element in
                seen.append(element)
                if element == 2 { throw Refused() }
            }
        }
        #expect(seen == [1, 2])
        #expect(queue.pop() == 3 && queue.count == 1)
    }

    /// The order of announcing and looking, step by step: the one that comes second must see the first.
    @Test func aParkingSideIsWokenExactlyWhenNeeded() {
        let queue = SingleProducerSingleConsumerQueue<Int>(minimumCapacity: 1)
        // The consumer announces first: the producer must wake it, once.
        #expect(queue.consumerWillPark())
        #expect(queue.push(1))
        #expect(queue.consumerNeedsWake())
        #expect(!queue.consumerNeedsWake())
        // The element is first: the consumer must not park.
        #expect(!queue.consumerWillPark())
        #expect(!queue.consumerNeedsWake())
        // The same the other way round.
        #expect(queue.producerWillPark())
        #expect(queue.pop() == 1)
        #expect(queue.producerNeedsWake())
        #expect(!queue.producerWillPark())
        // A close is something to wake up for, and to stay awake for.
        #expect(queue.consumerWillPark())
        queue.close()
        #expect(queue.consumerNeedsWake())
        #expect(!queue.consumerWillPark())
        #expect(!queue.producerWillPark())
    }

    /// Two threads that really sleep: everything arrives, in order, and both come to an end.
    @Test(arguments: [1, 4, 64])
    func twoThreadsPassEverythingInOrder(_ capacity: Int) {
        let queue = SingleProducerSingleConsumerQueue<Int>(minimumCapacity: capacity)
        let total = 50_000
        let consumerSignal = DispatchSemaphore(value: 0)
        let producerSignal = DispatchSemaphore(value: 0)
        let faults = Findings()
        let park: @Sendable (DispatchSemaphore, String) -> Void = { signal, side in
            // Half a minute is for ever; without a limit a lost wake would hang the tests instead of failing them.
            if signal.wait(timeout: .now() + 30) == .timedOut { faults.add("\(side) was not woken") }
        }
        let producer: @Sendable () -> Void = {
            var random = SplitMix64(seed: UInt64(capacity))
            var next = 0
            while next < total {
                let batch = Array(next..<min(total, next + 1 + random.below(2 * capacity)))
                var sent = 0
                while sent < batch.count {
                    let taken = queue.push(contentsOf: batch[sent...])
                    sent += taken
                    if queue.consumerNeedsWake() { consumerSignal.signal() }
                    if taken == 0 && queue.producerWillPark() { park(producerSignal, "producer") }
                }
                next += batch.count
            }
            queue.close()
            if queue.consumerNeedsWake() { consumerSignal.signal() }
        }
        let consumer: @Sendable () -> Void = {
            var random = SplitMix64(seed: 99)
            var expected = 0
            while !queue.isFinished {
                let count = queue.consume(atMost: 1 + random.below(2 * capacity)) { element in
                    if element != expected { faults.add("\(element) instead of \(expected)") }
                    expected += 1
                }
                if queue.producerNeedsWake() { producerSignal.signal() }
                if count == 0 && queue.consumerWillPark() { park(consumerSignal, "consumer") }
            }
            if expected != total { faults.add("\(expected) of \(total) arrived") }
        }
        runThreads([producer, consumer])
        #expect(faults.first == [])
    }
}
