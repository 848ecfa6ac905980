import Foundation
import Logging
import Operations
import Retraining
import Testing
import Worker

@testable import Replay
@testable import driftgate

/// A fresh deployment begins with what a history gives it, whether one task has all models or many share them.
struct WarmStateTests {
    private func directory() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        let all = (0..<6).map { SampleHistory(hours: 9 * 24, model: "m\($0)") }
        let rows = all[0].rows
        for (index, encoder) in all[0].encoders.enumerated() {
            var bytes: [UInt8] = []
            for row in rows {
                // The load is nobody's own.
                for history in index == 2 ? Array(all.prefix(1)) : all {
                    bytes += history.encoders[index].encode(row) + [10]
                }
            }
            try directory.write(bytes, encoder.name + ".jsonl")
        }
        return directory
    }

    private func names(_ state: WarmState) -> Set<String> {
        Set(state.units.map(\.key).filter { $0.hasPrefix("model/") })
    }

    @Test("shares hold every model once, and each the load")
    func shares() throws {
        let directory = try directory()
        let configuration = SampleHistory.configuration
        let whole = try WarmState.read(SampleHistory.source(directory), configuration: configuration)[0]
        #expect(names(whole).count == 6)
        let shares = (0..<3).map { ModelShare(partition: $0, of: 3) }
        let states = try WarmState.read(SampleHistory.source(directory), configuration: configuration, shares: shares)
        #expect(states.reduce(0) { $0 + names($1).count } == 6)
        #expect(states.reduce(into: Set()) { $0.formUnion(names($1)) } == names(whole))
        for state in states {
            #expect(state.upTo == whole.upTo)
            let engine = try Engine(configuration: configuration, restoring: state.units)
            #expect(engine.lastBoundary == whole.upTo)
            #expect(state.units.contains { $0.key.hasPrefix("pool/") || $0.key == "everything" })
        }
    }

    @Test("a history is read once for all tasks, while the worker goes on polling")
    func warmStart() async throws {
        let directory = try directory()
        var configuration = Configuration()
        configuration.engine = SampleHistory.configuration
        let start = WarmStart([directory.path], configuration, Logger(label: "test"))
        func state(_ task: Int32) async throws -> [String] {
            let request = InitialStateRequest(task: task, tasks: [0, 1], partitions: 2)
            while true {
                if let units = try start.units(request) { return units.map(\.key) }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        let first = try await state(0)
        // What the second task is to have is there already.
        #expect(try start.units(InitialStateRequest(task: 1, tasks: [0, 1], partitions: 2)) != nil)
        #expect(try await state(0) == first, "a restore that begins again gets the same")
    }

    @Test("a history that is not there is an error that names it")
    func missing() async throws {
        let start = WarmStart(["/nowhere/history"], Configuration(), Logger(label: "test"))
        let request = InitialStateRequest(task: 0, tasks: [0], partitions: nil)
        await #expect {
            while try start.units(request) == nil { try await Task.sleep(for: .milliseconds(10)) }
        } throws: {
            "\($0)".contains("/nowhere/history is not there")
        }
    }
}
