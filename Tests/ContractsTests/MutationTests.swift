import Retraining
import Testing

@testable import Contracts

/// Protects: no bytes whatever crash the decoder or slip something impossible past it.
@Suite struct MutationTests {
    @Test("100 000 mutated records are each a sound record or a bounded rejection")
    func mutations() {
        var generator = SeededGenerator(state: 20_241_017)
        let seeds = Self.seeds()
        let decoder = RecordDecoder()
        var counts: [String: Int] = [:]
        for _ in 0..<100_000 {
            let (role, seed) = seeds.randomElement(using: &generator)!
            let bytes = Self.mutate(seed, seeds, &generator)
            let headers: [(String, String)] =
                Int.random(in: 0..<20, using: &generator) == 0
                ? [("ce_specversion", "1.0"), ("ce_time", String(decoding: bytes.prefix(24), as: UTF8.self))] : []
            let record = decoder.owned(role, bytes, headers)
            if let fault = Self.fault(record) { Issue.record("\(fault): \(String(decoding: bytes, as: UTF8.self))") }
            counts[record.rejection?.reason.rawValue ?? "taken", default: 0] += 1
        }
        // Mutation must not be so rough that it tests the first bytes only, nor so gentle that everything is taken.
        #expect(counts["taken", default: 0] > 2_000)
        #expect(counts.count > 20, "\(counts)")
    }

    @Test("random bytes are rejected, each for a reason")
    func noise() {
        var generator = SeededGenerator(state: 4)
        let decoder = RecordDecoder()
        for _ in 0..<5000 {
            let count = Int.random(in: 0...300, using: &generator)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(decoder.owned(.prediction, bytes).rejection != nil)
        }
    }

    private static func seeds() -> [(RecordRole, [UInt8])] {
        var seeds: [(RecordRole, [UInt8])] = []
        for (json, _) in GoodRecordTests.predictions + GoodRecordTests.predictions + GoodRecordTests.predictions {
            seeds.append((.prediction, Array(json.utf8)))
            seeds.append(
                (.prediction, Array(#"{"specversion":"1.0","time":"2024-10-17T15:00:00Z","data":\#(json)}"#.utf8)))
        }
        for (role, json, _) in GoodRecordTests.others { seeds.append((role, Array(json.utf8))) }
        for (role, json, _) in AllocationTests.records { seeds.append((role, Array(json.utf8))) }
        for (json, _, _) in BrokenRecordTests.predictions { seeds.append((.prediction, Array(json.utf8))) }
        return seeds
    }

    private static func mutate(
        _ seed: [UInt8], _ seeds: [(RecordRole, [UInt8])], _ generator: inout SeededGenerator
    ) -> [UInt8] {
        let tokens = [
            "\"", "{", "}", "[", "]", ",", ":", "\\", "null", "true", "1e999", "-", "\"p50\":", "\u{0}", "0", "e",
            "{\"a\":",
        ]
        var bytes = seed
        for _ in 0..<Int.random(in: 1...2, using: &generator) {
            let place = Int.random(in: 0...bytes.count, using: &generator)
            let end = min(bytes.count, place + Int.random(in: 1...12, using: &generator))
            switch Int.random(in: 0..<8, using: &generator) {
            case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1 where place < bytes.count: bytes[place] = .random(in: 0...255, using: &generator)
            case 2: bytes.removeSubrange(place..<end)
            case 3: bytes.insert(contentsOf: Array(bytes[place..<end]), at: place)
            case 4: bytes.insert(contentsOf: Array(tokens.randomElement(using: &generator)!.utf8), at: place)
            case 5: bytes.removeSubrange(place...)
            case 6:
                let other = seeds.randomElement(using: &generator)!.1
                bytes = Array(bytes[..<place]) + other.suffix(Int.random(in: 0...other.count, using: &generator))
            default:
                if place < bytes.count, 48...57 ~= bytes[place] {
                    bytes[place] = .random(in: 48...57, using: &generator)
                }
            }
        }
        return bytes
    }

    /// What no record may be; nil for a sound one.
    private static func fault(_ record: OwnedRecord) -> String? {
        var names: [String?] = []
        var times: [Milliseconds] = []
        var values: [String: Double]?
        switch record {
        case .prediction(let record):
            names = [record.entity, record.model, record.version]
            times = [record.at] + (record.issuedAt == .unknownTime ? [] : [record.issuedAt])
            values = record.values
        case .actual(let record):
            names = [record.entity, record.model]
            times = [record.at]
            values = record.values
        case .load(let record):
            names = [record.entity, record.pool]
            times = [record.at]
            if let cpu = record.cpu, !(0...100).contains(cpu) { return "CPU \(cpu)" }
            if let rate = record.rate, rate < 0 || !rate.isFinite { return "rate \(rate)" }
        case .trainingStatus(let record): names = [record.requestID, record.modelVersion]
        case .command(let record): names = [record.model, record.requestID]
        case .rejected(let rejection): return faultOf(rejection)
        }
        for name in names { if let fault = name.flatMap(faultOfName) { return fault } }
        for time in times { if let fault = faultOfTime(time) { return fault } }
        return values.flatMap(faultOfValues)
    }

    private static func faultOfName(_ name: String) -> String? {
        let isSound = !name.isEmpty && name.utf8.count <= 256
        let hasControl = name.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
        return isSound && !hasControl ? nil : "name \(name.debugDescription)"
    }

    private static func faultOfTime(_ time: Milliseconds) -> String? {
        (946_684_800_000...4_102_444_800_000).contains(time) ? nil : "time \(time)"
    }

    private static func faultOfValues(_ values: [String: Double]) -> String? {
        if values.isEmpty { return "no values" }
        for (name, value) in values {
            if let fault = faultOfName(name) { return fault }
            if !value.isFinite { return "value \(value)" }
        }
        return nil
    }

    /// A text that only repeats simdjson's words shows that our own scanner and simdjson disagree on what JSON is.
    private static func faultOf(_ rejection: Rejection) -> String? {
        let detail = rejection.detail
        if detail.utf8.count > 600 || !detail.hasSuffix(".") { return "detail \(detail)" }
        if detail.unicodeScalars.contains(where: { $0.value < 0x20 }) { return "control character in \(detail)" }
        if (rejection.field?.utf8.count ?? 0) > 400 { return "field \(rejection.field!)" }
        return detail.contains("no valid JSON:") ? "disagreement: \(detail)" : nil
    }
}
