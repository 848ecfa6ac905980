import CAllocationCounter
import Retraining
import Testing

@testable import Contracts

/// Protects: a message costs no allocation. A worker reads millions of them a second.
@Suite struct AllocationTests {
    static let records: [(RecordRole, String, [(String, String)])] = [
        (.prediction, GoodRecordTests.designPrediction, []),
        (
            .prediction,
            #"{"entity":"srv-042-with-a-name-of-more-than-fifteen-bytes","at":"2024-10-17T18:00:00.5+02:00","shadow":true,"#
                + #""x":[1,{"y":"z"}],"values":{"a":1,"b":{"p50":2},"c":3,"c":4,"d":null,"e":5,"f":6,"g":7,"h":8}}"#, []
        ),
        (.actual, #"{"entity":"srv-042","at":1729180800000,"values":{"cpu_user_pct":44}}"#, []),
        (.load, #"{"entity":"srv-042","at":1729180800000,"cpu_pct":5,"predictions_per_s":3,"incident":false}"#, []),
        (
            .actual,
            #"{"specversion":"1.0","time":"2024-10-17T16:00:00Z","datacontenttype":"application/json","#
                + #""data":{"entity":"srv-042","values":{"cpu_user_pct":44}}}"#, []
        ),
        (
            .actual,
            #"{"specversion":"1.0","data_base64":"eyJlbnRpdHkiOiJlIiwiYXQiOjE3MjkxODA4MDAwMDAsInZhbHVlcyI6eyJhIjoxfX0="}"#,
            []
        ),
        (
            .actual, #"{"entity":"srv-042","values":{"cpu_user_pct":44}}"#,
            [("ce_specversion", "1.0"), ("ce_time", "2024-10-17T16:00:00Z"), ("content-type", "application/json")]
        ),
    ]

    /// Headers that allocate nothing themselves.
    private struct FixedHeaders: RecordHeaders {
        let version: UnsafeRawBufferPointer?
        let time: UnsafeRawBufferPointer?
        let contentType: UnsafeRawBufferPointer?

        var isEmpty: Bool { version == nil }

        func value(of name: StaticString) -> UnsafeRawBufferPointer? {
            switch name.utf8Start[3] {
            case UInt8(ascii: "s"): version
            case UInt8(ascii: "t"): name.utf8CodeUnitCount == 7 ? time : contentType
            default: nil
            }
        }
    }

    @Test("messages allocate nothing", .enabled(if: allocation_count() >= 0))
    func nothing() {
        let decoder = RecordDecoder()
        let rounds = 210_000 / Self.records.count
        for (role, json, headers) in Self.records {
            let owned = TestHeaders(headers)
            let fixed = FixedHeaders(
                version: owned.value(of: "ce_specversion"), time: owned.value(of: "ce_time"),
                contentType: owned.value(of: "content-type"))
            let allocated = Array(json.utf8).withUnsafeBytes { bytes in
                // The first may initialize what Swift initializes lazily.
                _ = decoder.decode(role, value: bytes, headers: fixed)
                let before = allocation_count()
                for _ in 0..<rounds {
                    if case .rejected = decoder.decode(role, value: bytes, headers: fixed) { return Int64.max }
                }
                return allocation_count() - before
            }
            #expect(allocated == 0, "\(json)")
        }
    }
}
