import Contracts
import Retraining
import Worker

// The first byte chooses, modulo 4: a record of the state topic as it is, what stands inside such a record, a state made
// of nothing but the input, or a genuine state with patches. Then come pieces: a length (1 byte), and so many bytes.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let bytes, count > 0 else { return 0 }
    var input = Input(bytes: Array(UnsafeBufferPointer(start: bytes + 1, count: count - 1)))
    switch bytes[0] & 3 {
    case 0: _ = StateRecords.fault(key: input.piece(), value: input.rest())
    case 1: _ = StateRecords.fault(key: input.piece(), payload: input.rest())
    case 2:
        var units: [(key: String, bytes: [UInt8])] = []
        while !input.isEmpty {
            units.append((String(decoding: input.piece(), as: UTF8.self), input.longPiece()))
        }
        restore(units)
    default:
        var units = Genuine.units
        while !input.isEmpty {
            let unit = Int(input.byte()) % units.count
            let place = Int(input.byte()) << 8 | Int(input.byte())
            let piece = input.piece()
            let at = place % (units[unit].bytes.count + 1)
            let end = min(units[unit].bytes.count, at + piece.count)
            units[unit].bytes.replaceSubrange(at..<end, with: piece)
        }
        restore(units)
    }
    return 0
}

private struct Input {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isEmpty: Bool { position >= bytes.count }

    mutating func byte() -> UInt8 {
        guard !isEmpty else { return 0 }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func piece() -> [UInt8] { take(Int(byte())) }
    mutating func longPiece() -> [UInt8] { take(Int(byte()) << 8 | Int(byte())) }
    mutating func rest() -> [UInt8] { take(bytes.count) }

    private mutating func take(_ count: Int) -> [UInt8] {
        let end = min(bytes.count, position + count)
        defer { position = end }
        return Array(bytes[min(position, end)..<end])
    }
}

/// Whatever is taken is written and read back the same.
private func restore(_ units: [(key: String, bytes: [UInt8])]) {
    guard let engine = try? Engine(configuration: Genuine.configuration, restoring: units) else { return }
    let written = engine.stateUnits().map { ($0.key, engine.encode($0)) }
    do {
        let again = try Engine(configuration: Genuine.configuration, restoring: written)
        let rewritten = again.stateUnits().map { ($0.key, again.encode($0)) }
        precondition(
            written.elementsEqual(rewritten) { $0 == $1 }, "what was restored is written differently")
    } catch {
        preconditionFailure("what was restored is written so that it cannot be read: \(error)")
    }
}

/// The state of an engine that has seen models, machines, requests and commands.
private enum Genuine {
    static let configuration: EngineConfiguration = {
        var configuration = EngineConfiguration()
        configuration.drift.scoring = .calibrated
        configuration.drift.windowSize = 16
        configuration.drift.minimumSamples = 4
        configuration.drift.baselineSpan = 3 * .hour
        configuration.drift.checkInterval = .hour
        return configuration
    }()

    static let units: [(key: String, bytes: [UInt8])] = {
        let engine = Engine(configuration: configuration)
        let decoder = RecordDecoder()
        let roles: [InputRole] = [.predictions, .actuals, .load, .commands]
        let lanes = roles.map { engine.lane(topic: "\($0)", partition: 0, role: $0) }
        var offset: Int64 = 0
        func feed(_ role: Int, _ at: Milliseconds, _ text: String) {
            let kind: RecordRole = [.prediction, .actual, .load, .command][role]
            switch decoder.decode(kind, Array(text.utf8)) {
            case .prediction(let record):
                _ = engine.collect(lane: lanes[role], offset: offset, timestamp: at, prediction: record)
            case .actual(let record):
                _ = engine.collect(lane: lanes[role], offset: offset, timestamp: at, actual: record)
            case .load(let record):
                _ = engine.collect(lane: lanes[role], offset: offset, timestamp: at, load: record)
            case .command(let record):
                engine.collect(lane: lanes[role], offset: offset, timestamp: at, command: record)
            default: preconditionFailure("the sample was refused: \(text)")
            }
            offset += 1
        }
        let start: Milliseconds = 1_749_427_200_000
        for hour in 0..<40 as Range<Int64> {
            let at = start + hour * .hour
            for model in ["a", "b"] {
                for entity in ["x", "y"] {
                    let level = 30 + Double(hour % 12)
                    let factor = hour < 20 ? 1.02 : 1.9
                    feed(
                        0, at,
                        """
                        {"model":"\(model)","model_version":"v1","entity":"\(entity)","at":\(at + .hour),\
                        "issued_at":\(at),"values":{"cpu":\(level * factor),"mem":50}}
                        """)
                    feed(
                        1, at,
                        #"{"model":"\#(model)","entity":"\#(entity)","at":\#(at),"values":{"cpu":\#(level),"mem":51}}"#)
                }
            }
            feed(2, at, #"{"pool":"p","entity":"node","at":\#(at),"cpu_pct":\#(20 + hour)}"#)
            if hour == 25 { feed(3, at, #"{"command":"request","model":"a","by":"fuzz"}"#) }
            var effects: [Effect] = []
            engine.evaluate(at: at + .hour, wallClock: at + .hour, into: &effects)
        }
        return engine.stateUnits().map { (key: $0.key, bytes: engine.encode($0)) }
    }()
}
