import Retraining
import Testing

@testable import Contracts

/// Protects: the scanner of plain records takes nothing that the document parser would refuse, and reads the same in all
/// that it takes. An escape anywhere leaves a record to the document parser, so that one harmless field more shows what
/// that makes of the same record.
@Suite struct ScannerTests {
    static let seeds = [
        #"{"id":"4d2","model":"tft-3","model_version":"2025-10-17","entity":"srv-01234","at":1729180800000,"#
            + #""issued_at":1729179900000,"values":{"cpu":41.10,"mem":{"p10":1e-3,"p50":2}},"features":{"hour":16,"z":[1,"#
            + #"2,{"a":null}],"e":{},"f":[]},"source":"edge-03"}"#,
        #"{ "entity" : "é" , "at":"2024-10-17T18:00:00.5+02:00","shadow":true,"values":{"a":1,"c":3,"c":4,"d":null,"#
            + #""e":-5.25e2,"f":0.1234567890123456789,"g":-0.0,"h":-0,"i":1e400}}"#,
        #"{"entity":"srv","at":1729180800000,"values":{"a":1,"b":123456789012345678,"c":1.7976931348623157e308,"#
            + #""d":4.9e-324,"e":2.2250738585072011e-308,"f":9007199254740993.0,"g":0.30000000000000004},"time":null}"#,
        #"{"specversion":"1.0","time":"2024-10-17T16:00:00Z","data":{"entity":"e","at":1729180800000,"values":{"a":1}}}"#,
    ]

    @Test func `The same is read with and without the scanner`() {
        var numbers = Numbers(state: 5)
        let decoder = RecordDecoder()
        let other = RecordDecoder()
        let alphabet = Array("{}[]:,\"0123456789.eE+-tfn ul\n\tasp50\u{1}é".utf8) + [0x80, 0xFF]
        var taken = 0
        for _ in 0..<20_000 {
            var record = Array(Self.seeds.randomElement(using: &numbers)!.utf8)
            for _ in 0..<Int.random(in: 0...3, using: &numbers) {
                let place = Int.random(in: 0..<record.count, using: &numbers)
                switch Int.random(in: 0...3, using: &numbers) {
                case 0: record[place] = alphabet.randomElement(using: &numbers)!
                case 1: record.remove(at: place)
                case 2: record.insert(alphabet.randomElement(using: &numbers)!, at: place)
                default: record.insert(contentsOf: record[place..<min(record.count, place + 9)], at: place)
                }
            }
            guard record.starts(with: Array("{\"".utf8)) || record.starts(with: Array("{ \"".utf8)) else { continue }
            let escaped = [record[0]] + Array(#""\u0071":1,"#.utf8) + record[1...]
            let found = Self.text(decoder.decode(.prediction, record))
            if !found.hasPrefix("rejected") { taken += 1 }
            #expect(
                found == Self.text(other.decode(.prediction, escaped)), "\(String(decoding: record, as: UTF8.self))")
        }
        #expect(taken > 3_000)
    }

    @Test(arguments: [
        "0.1", "123.456", "1e22", "1e23", "9007199254740992", "9007199254740993.0", "0.30000000000000004", "-0.0", "-0",
        "2.2250738585072011e-308", "1.7976931348623157e308", "5e-324", "12345678.12345678", "12345678",
        "123456789012345678",
    ])
    func `Numbers are correctly rounded`(_ number: String) {
        let record = Array(#"{"entity":"e","at":1729180800000,"values":{"a":\#(number)}}"#.utf8)
        let decoder = RecordDecoder()
        guard case .prediction(let prediction) = decoder.decode(.prediction, record) else {
            Issue.record("\(number) was refused")
            return
        }
        let expected = number == "-0" ? 0.0 : Double(number)!
        #expect(prediction.values[0].value.bitPattern == expected.bitPattern)
    }

    /// Everything that was read; of a refusal the reason, since places in the record differ.
    private static func text(_ record: DecodedRecord) -> String {
        switch record {
        case .prediction(let prediction):
            let values = prediction.values.map { "\($0.name.string)=\($0.value.bitPattern)" }.joined(separator: ",")
            let names = [prediction.model, prediction.version, prediction.entity].map(\.string).joined(separator: "|")
            return "\(names)|\(prediction.at)|\(prediction.issuedAt)|\(prediction.isShadow)|\(values)"
        case .rejected(let rejection): return "rejected: \(rejection.reason.rawValue)"
        default: return "something else"
        }
    }

    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }
}
