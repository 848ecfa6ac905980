import Kafka
import SimulatedLog
import Testing

struct IsolationTests {
    @Test func openTransactionsHideWhatLiesBehindThem() throws {
        let cluster = makeCluster()
        let first = try cluster.claim("a", of: cluster.process("a"))
        let second = try cluster.claim("b", of: cluster.process("b"))
        try first.beginTransaction()
        try first.write("open")
        try first.flush(timeoutMilliseconds: 100)
        try second.transact("behind")
        let committed = cluster.reader()
        let all = cluster.reader(.readUncommitted)
        try start(committed)
        try start(all)
        #expect(try read(committed) == ["end@0"])
        #expect(try read(all) == ["open", "behind", "end@3"])
        #expect(try committed.watermarks(output, timeoutMilliseconds: 100) == Watermarks(low: 0, high: 0))
        #expect(try all.watermarks(output, timeoutMilliseconds: 100) == Watermarks(low: 0, high: 3))
        try first.commit()
        #expect(try read(committed) == ["open", "behind", "end@4"])
        #expect(try read(committed) == [])
        #expect(try committed.watermarks(output, timeoutMilliseconds: 100).high == 4)
    }

    @Test func abortedRecordsAreSkippedAndTheirOffsetsAreNot() throws {
        let cluster = makeCluster()
        let producer = try cluster.claim("a", of: cluster.process("a"))
        try producer.beginTransaction()
        try producer.write("aborted")
        try producer.flush(timeoutMilliseconds: 100)
        try producer.abortTransaction(timeoutMilliseconds: 100)
        let reader = cluster.reader()
        try start(reader)
        #expect(try read(reader) == ["end@2"])
        try producer.transact("good")
        #expect(try read(reader) == ["good", "end@4"])
        #expect(cluster.values(output, .readUncommitted) == ["aborted", "good"])
    }

    @Test func recordsThatWereNotSentAreGoneWithTheirProducer() throws {
        let cluster = makeCluster()
        let process = cluster.process("a")
        let producer = try cluster.claim("a", of: process)
        try producer.beginTransaction()
        try producer.write("lost")
        cluster.kill(process)
        #expect(failure { try producer.commit() }?.isFatal == true)
        cluster.clock.advance(by: 60_000)
        #expect(cluster.openTransactions == 0)
        #expect(cluster.values(output).isEmpty)
    }

    @Test func offsetsAreFoundByTimeBelowTheLastStableOne() throws {
        let cluster = makeCluster()
        for time in [10, 20, 30] as [Int64] { cluster.append("\(time)", to: input, at: time) }
        let reader = cluster.reader()
        func found(_ time: Int64) throws -> Offset {
            try reader.offsets(at: [input: time], timeoutMilliseconds: 100)[0].offset
        }
        #expect(try found(5) == Offset(0))
        #expect(try found(20) == Offset(1))
        #expect(try found(31) == .end)
    }
}
