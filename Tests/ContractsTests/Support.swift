import Retraining

@testable import Contracts

/// Headers as a test gives them; owns their bytes so that they have addresses.
final class TestHeaders: RecordHeaders {
    private let entries: [(name: String, value: UnsafeMutableRawBufferPointer)]

    init(_ headers: [(String, String)]) {
        entries = headers.map { name, value in
            let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: value.utf8.count, alignment: 1)
            bytes.copyBytes(from: value.utf8)
            return (name, bytes)
        }
    }

    deinit { for entry in entries { entry.value.deallocate() } }

    var isEmpty: Bool { entries.isEmpty }

    func value(of name: StaticString) -> UnsafeRawBufferPointer? {
        entries.last { $0.name == name.description }.map { UnsafeRawBufferPointer($0.value) }
    }
}

/// A decoded record that owns everything, so that it can be compared and outlives the decoder's next call.
enum OwnedRecord: Equatable {
    struct Forecast: Equatable {
        var model: String?
        var version: String?
        var entity = "srv-042"
        var at: Milliseconds = 1_729_180_800_000
        var issuedAt: Milliseconds = .unknownTime
        var isShadow = false
        var values: [String: Double] = ["cpu_user_pct": 41.2]
    }

    struct Outcome: Equatable {
        var model: String?
        var entity = "srv-042"
        var at: Milliseconds = 1_729_180_800_000
        var values: [String: Double] = ["cpu_user_pct": 44]
    }

    struct Load: Equatable {
        var pool: String?
        var entity = "srv-042"
        var at: Milliseconds = 1_729_180_800_000
        var cpu: Double?
        var rate: Double?
        var incident: Bool?
    }

    case prediction(Forecast)
    case actual(Outcome)
    case load(Load)
    case trainingStatus(TrainingStatusRecord)
    case command(CommandRecord)
    case rejected(Rejection)

    init(_ record: DecodedRecord) {
        switch record {
        case .prediction(let record):
            self = .prediction(
                Forecast(
                    model: Self.owned(record.model), version: Self.owned(record.version), entity: record.entity.string,
                    at: record.at, issuedAt: record.issuedAt, isShadow: record.isShadow,
                    values: Self.owned(record.values)))
        case .actual(let record):
            self = .actual(
                Outcome(
                    model: Self.owned(record.model), entity: record.entity.string, at: record.at,
                    values: Self.owned(record.values)))
        case .load(let record):
            self = .load(
                Load(
                    pool: Self.owned(record.pool), entity: record.entity.string, at: record.at, cpu: record.cpuPercent,
                    rate: record.predictionsPerSecond, incident: record.incident))
        case .trainingStatus(let record): self = .trainingStatus(record)
        case .command(let record): self = .command(record)
        case .rejected(let rejection): self = .rejected(rejection)
        }
    }

    var rejection: Rejection? {
        if case .rejected(let rejection) = self { rejection } else { nil }
    }

    private static func owned(_ text: BorrowedText) -> String? { text.isAbsent ? nil : text.string }

    private static func owned(_ values: UnsafeBufferPointer<MetricValue>) -> [String: Double] {
        Dictionary(values.map { ($0.name.string, $0.value) }) { _, _ in fatalError("a name stands twice in the values")
        }
    }
}

extension RecordDecoder {
    func owned(_ role: RecordRole, _ json: String, _ headers: [(String, String)] = []) -> OwnedRecord {
        owned(role, Array(json.utf8), headers)
    }

    func owned(_ role: RecordRole, _ bytes: [UInt8], _ headers: [(String, String)] = []) -> OwnedRecord {
        bytes.withUnsafeBytes { OwnedRecord(decode(role, value: $0, headers: TestHeaders(headers))) }
    }
}

/// SplitMix64: the same numbers from the same seed on every machine. Steele, Lea and Flood, OOPSLA 2014.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
