import Foundation

/// One thread that reads a source and hands every batch to all consumers.
///
/// It always reads the lane that lags behind the others in time, so that a consumer that waits for a lane gets it next.
/// What was read and not taken yet is bounded; only where *all* consumers wait is more read in spite of the bound, which
/// is what keeps them from waiting for one another for ever.
package final class HistoryFeed: @unchecked Sendable {
    package enum Taken {
        case batch(HistoryBatch)
        /// Nothing is there yet.
        case nothing
        case ended
    }

    private struct Mailbox {
        private var batches: [HistoryBatch?] = []
        private var first = 0
        var hasEnded = false
        var isEmpty: Bool { first == batches.count }
        var count: Int { batches.count - first }

        mutating func put(_ batch: HistoryBatch) { batches.append(batch) }

        /// What is taken is let go of at once: a mailbox that is never empty must not keep a whole history.
        mutating func take() -> HistoryBatch? {
            guard first < batches.count else { return nil }
            defer {
                first += 1
                if first == batches.count || first >= 256 {
                    batches.removeFirst(first)
                    first = 0
                }
            }
            return batches[first].take()
        }
    }

    private let source: any HistorySource
    private let consumers: Int
    private let budget: Int
    private let condition = NSCondition()
    /// By consumer, then lane.
    private var mailboxes: [[Mailbox]]
    /// By consumer: the lanes that it waits for; nil while it works.
    private var waiting: [[Int]?]
    private var isDone: [Bool]
    private var failure: (any Error)?
    private var isCancelled = false
    /// By consumer: how much it has taken.
    private var taken: [(units: Int64, records: Int64)]
    private var hasFinished = false
    private var laneTimes: [Int64]

    /// - Parameter budget: batches that may lie unread, over all lanes.
    package init(_ source: any HistorySource, consumers: Int = 1, budget: Int = 48) {
        self.source = source
        self.consumers = consumers
        self.budget = max(budget, 2 * source.lanes.count)
        mailboxes = Array(
            repeating: Array(repeating: Mailbox(), count: source.lanes.count), count: consumers)
        waiting = Array(repeating: nil, count: consumers)
        isDone = Array(repeating: false, count: consumers)
        taken = Array(repeating: (0, 0), count: consumers)
        laneTimes = Array(repeating: .min, count: source.lanes.count)
    }

    /// How far the slowest consumer has come: bytes or records of the source, and records.
    package var progress: (units: Int64, records: Int64) {
        condition.withLock {
            let open = zip(taken, isDone).filter { !$1 }.map(\.0)
            return (open.isEmpty ? taken : open).min { $0.units < $1.units } ?? (0, 0)
        }
    }

    package func start() {
        let thread = Thread { self.readAll() }
        thread.name = "history"
        thread.stackSize = 4 << 20
        thread.start()
    }

    /// Makes the reading thread stop; returns once it has.
    package func cancel() {
        condition.lock()
        isCancelled = true
        condition.broadcast()
        while !hasFinished { condition.wait() }
        condition.unlock()
    }

    // MARK: Consumers

    package func take(consumer: Int, lane: Int) throws -> Taken {
        condition.lock()
        defer { condition.unlock() }
        if let failure { throw failure }
        guard let batch = mailboxes[consumer][lane].take() else {
            return mailboxes[consumer][lane].hasEnded ? .ended : .nothing
        }
        taken[consumer].units += batch.sourceBytes
        taken[consumer].records += Int64(batch.entries.count)
        condition.broadcast()
        return .batch(batch)
    }

    /// Waits until one of these lanes, which all had nothing, has something.
    package func wait(consumer: Int, lanes: [Int]) throws {
        condition.lock()
        defer { condition.unlock() }
        waiting[consumer] = lanes
        condition.broadcast()
        while failure == nil, !isCancelled,
            lanes.allSatisfy({ mailboxes[consumer][$0].isEmpty && !mailboxes[consumer][$0].hasEnded })
        { condition.wait() }
        waiting[consumer] = nil
        if let failure { throw failure }
        if isCancelled { throw CancellationError() }
    }

    /// Says that a consumer takes nothing any more.
    package func leave(consumer: Int) {
        condition.withLock {
            isDone[consumer] = true
            for lane in mailboxes[consumer].indices { mailboxes[consumer][lane] = Mailbox() }
            condition.broadcast()
        }
    }

    // MARK: The reading thread

    private func readAll() {
        var open = Array(source.lanes.indices)
        do {
            while !open.isEmpty, let wanted = waitForRoom() {
                // Beyond the bound only what somebody waits for.
                let candidates = wanted.isEmpty ? open : open.filter(wanted.contains)
                let lane = (candidates.isEmpty ? open : candidates).min {
                    (laneTimes[$0], $0) < (laneTimes[$1], $1)
                }!
                guard let batch = try source.next(lane: lane) else {
                    open.removeAll { $0 == lane }
                    condition.withLock {
                        for consumer in 0..<consumers {
                            mailboxes[consumer][lane].hasEnded = true
                            satisfy(consumer, lane)
                        }
                        condition.broadcast()
                    }
                    continue
                }
                hand(batch)
            }
        } catch {
            condition.withLock { failure = error }
        }
        source.close()
        condition.withLock {
            hasFinished = true
            condition.broadcast()
        }
    }

    private func hand(_ batch: HistoryBatch) {
        if let last = batch.entries.last, last.timestamp != .min {
            laneTimes[batch.lane] = max(laneTimes[batch.lane], last.timestamp)
        }
        condition.withLock {
            guard !batch.isEmpty else {
                // All of it lay outside the range: nobody has anything to do.
                for consumer in 0..<consumers { taken[consumer].units += batch.sourceBytes }
                return
            }
            for consumer in 0..<consumers where !isDone[consumer] {
                mailboxes[consumer][batch.lane].put(batch)
                satisfy(consumer, batch.lane)
            }
            condition.broadcast()
        }
    }

    /// A consumer that has been given what it waits for waits no more, whenever its thread comes to know.
    private func satisfy(_ consumer: Int, _ lane: Int) {
        if waiting[consumer]?.contains(lane) ?? false { waiting[consumer] = nil }
    }

    /// Waits until more may be read: of any lane (empty), or beyond the bound of these. Nil once nobody wants any more.
    private func waitForRoom() -> Set<Int>? {
        condition.lock()
        defer { condition.unlock() }
        while true {
            if isCancelled || !isDone.contains(false) { return nil }
            let busiest = mailboxes.map { $0.reduce(0) { $0 + $1.count } }.max() ?? 0
            if busiest < budget { return [] }
            if zip(waiting, isDone).allSatisfy({ $0 != nil || $1 }) { return Set(waiting.compactMap { $0 }.joined()) }
            condition.wait()
        }
    }
}
