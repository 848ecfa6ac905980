import Kafka
import SimulatedLog
import Testing

struct RetentionTests {
    @Test func readingBelowTheStartOfTheLogFollowsTheConfiguration() throws {
        let cluster = makeCluster()
        for number in 0..<5 { cluster.append("\(number)", at: Int64(number)) }
        let strict = cluster.reader()
        let lenient = cluster.reader(reset: .earliest)
        for reader in [strict, lenient] { try start(reader, input, at: Offset(1)) }
        cluster.trim(input, before: 3)
        #expect(cluster.watermarks(of: input).low == 3)
        #expect(try read(strict, input) == ["_AUTO_OFFSET_RESET"])
        #expect(try read(lenient, input) == ["3", "4", "end@5"])
        try start(strict, input, at: Offset(9))
        #expect(try read(strict, input) == ["_AUTO_OFFSET_RESET"])
    }

    /// Whatever is written, committed, aborted and compacted, when and how often: a reader from the start has the
    /// latest committed value of each key, and the end is announced where the log ends.
    @Test(arguments: 0..<40) func compactionLosesNoLatestValue(seed: UInt64) throws {
        let cluster = makeCluster(seed: seed)
        var random = SeededGenerator(seed: seed)
        let producers = try ["a", "b"].map { try cluster.claim($0, of: cluster.process($0), timeout: 1_000_000) }
        var isOpen = [false, false]
        var written: [[String: String]] = [[:], [:]]
        // A committed transaction's values count in the order of the log, which the log itself tells best.
        for step in 0..<300 {
            let index = random.number(in: 0...1)
            let producer = producers[index]
            switch random.number(in: 0...9) {
            case 0...5:
                if !isOpen[index] { try producer.beginTransaction() }
                isOpen[index] = true
                let key = "\(random.number(in: 0...7))"
                let value = random.chance(0.2) ? nil : "\(step)"
                try producer.write(value, to: stateLog, key: key)
                written[index][key] = value ?? ""
            case 6, 7:
                guard isOpen[index] else { continue }
                isOpen[index] = false
                if random.chance(0.3) {
                    try producer.abortTransaction(timeoutMilliseconds: 100)
                } else {
                    try producer.commit()
                }
            default:
                let before = latest(cluster)
                cluster.compact(stateLog, tail: random.number(in: 0...10))
                #expect(latest(cluster) == before)
            }
            cluster.clock.advance(by: random.number(in: 0...3_000))
        }
        let all = cluster.reader(.readUncommitted)
        try start(all, stateLog)
        let entries = try read(all, stateLog)
        #expect(entries.last == "end@\(cluster.watermarks(of: stateLog).high)")
        #expect(cluster.entries(of: stateLog).last?.offset == cluster.watermarks(of: stateLog).high - 1)
    }

    /// Tombstones and absent keys are the same.
    private func latest(_ cluster: SimulatedCluster) -> [[UInt8]: [UInt8]] {
        var latest: [[UInt8]: [UInt8]] = [:]
        for record in cluster.records(of: stateLog) { latest[record.key!] = record.value }
        return latest
    }

    @Test func compactionLeavesGapsAndTheTail() throws {
        let cluster = makeCluster()
        for number in 0..<6 { cluster.append("\(number)", to: stateLog, key: number % 2 == 0 ? "even" : "odd") }
        cluster.compact(stateLog, tail: 1)
        #expect(cluster.entries(of: stateLog).map(\.offset) == [3, 4, 5])
        #expect(cluster.watermarks(of: stateLog) == Watermarks(low: 0, high: 6))
        let reader = cluster.reader()
        try start(reader, stateLog)
        #expect(try read(reader, stateLog) == ["3", "4", "5", "end@6"])
    }

    @Test func compactedTopicsTakeNoRecordsWithoutKeys() throws {
        let cluster = makeCluster()
        let producer = try cluster.claim("a", of: cluster.process("a"))
        try producer.beginTransaction()
        try producer.write("x", to: stateLog)
        #expect(failure { try producer.commit() }?.recovery == .abortTransaction)
    }
}
