import Contracts
import Retraining

// The first byte chooses: its value modulo 5 the role, bit 5 a field map, bit 6 binary CloudEvent headers, whose `ce_time`
// is then what stands before the first line feed. The rest is the payload.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let bytes, count > 0 else { return 0 }
    let role = RecordRole.allCases[Int(bytes[0] & 0x1F) % RecordRole.allCases.count]
    let decoder = bytes[0] & 0x20 == 0 ? Decoders.plain : Decoders.mapped
    var payload = UnsafeRawBufferPointer(start: bytes + 1, count: count - 1)
    if bytes[0] & 0x40 == 0 {
        check(decoder.decode(role, value: payload))
    } else {
        let end = payload.firstIndex(of: 0x0A) ?? payload.endIndex
        let time = UnsafeRawBufferPointer(rebasing: payload[..<end])
        payload = UnsafeRawBufferPointer(rebasing: payload[min(end + 1, payload.endIndex)...])
        check(decoder.decode(role, value: payload, headers: EventHeaders(time: time)))
    }
    return 0
}

/// As a real shell makes them: one a configuration, used for all records.
private enum Decoders {
    nonisolated(unsafe) static let plain = RecordDecoder()
    nonisolated(unsafe) static let mapped: RecordDecoder = {
        do {
            return RecordDecoder(
                fields: try FieldMap([
                    .prediction: ["entity": "/host/name", "at": "/when/0", "values": "/metrics"],
                    .actual: ["entity": "/a~1b", "metric": "/m", "value": "/v"],
                    .load: ["cpu_pct": "/cpu/total", "incident": "/flags/2"],
                    .trainingStatus: ["request_id": "/run/request", "status": "/run/state"],
                ]))
        } catch {
            fatalError("\(error)")
        }
    }()
}

private struct EventHeaders: RecordHeaders {
    let time: UnsafeRawBufferPointer
    private static let version: [UInt8] = Array("1.0".utf8)
    nonisolated(unsafe) private static let stable = UnsafeRawBufferPointer(
        start: UnsafeMutableRawPointer.allocate(byteCount: 3, alignment: 1).initializeMemory(
            as: UInt8.self, from: version, count: 3), count: 3)

    var isEmpty: Bool { false }

    func value(of name: StaticString) -> UnsafeRawBufferPointer? {
        switch "\(name)" {
        case "ce_specversion": Self.stable
        case "ce_time": time
        default: nil
        }
    }
}

/// What the engine relies on in a record that was taken.
private func check(_ record: DecodedRecord) {
    switch record {
    case .prediction(let record):
        precondition(!record.entity.string.isEmpty, "no entity")
        check(record.values)
        check(time: record.at)
    case .actual(let record):
        precondition(!record.entity.string.isEmpty, "no entity")
        check(record.values)
        check(time: record.at)
    case .load(let record):
        precondition(!record.entity.string.isEmpty, "no entity")
        check(time: record.at)
        for value in [record.cpuPercent, record.predictionsPerSecond].compactMap({ $0 }) {
            precondition(value.isFinite, "a number that is none")
        }
    case .trainingStatus(let record): precondition(!record.requestID.isEmpty, "no request id")
    case .command: break
    case .rejected(let rejection): precondition(!rejection.detail.isEmpty, "a rejection without words")
    }
}

private func check(_ values: UnsafeBufferPointer<MetricValue>) {
    precondition(!values.isEmpty, "no values")
    for value in values {
        precondition(value.value.isFinite, "a value that is no number")
        precondition(!value.name.string.isEmpty, "a metric without name")
    }
}

private func check(time: Milliseconds) {
    precondition(DecoderLimits().times.contains(time), "a time out of range")
}
