import Glibc
import Retraining
import Testing

@testable import Contracts

/// Protects: the events that trainers and operators build on keep their bytes.
@Suite struct EventEncoderTests {
    private let encoder = EventEncoder(applicationID: "driftgate")

    /// The examples in `contracts/examples` are the golden bytes. After a change of the contract that is meant, run
    /// the tests once with DRIFTGATE_WRITE_EXAMPLES=1 and read the difference.
    @Test(arguments: SampleEffects.all.indices)
    func goldenBytes(_ index: Int) throws {
        let (name, effect) = SampleEffects.all[index]
        let event = encoder.encode(effect)
        let path = "examples/\(name).json"
        if getenv("DRIFTGATE_WRITE_EXAMPLES") != nil { Files.write(path, event.value + [0x0A]) }
        #expect(
            String(decoding: event.value, as: UTF8.self) + "\n"
                == String(decoding: try #require(Files.read(path)), as: UTF8.self))
    }

    @Test("a small event, byte for byte")
    func literal() {
        let event = encoder.encode(.alert(SampleEffects.bareAlert))
        #expect(
            String(decoding: event.value, as: UTF8.self) == """
                {"specversion":"1.0","id":"dead_letters_rising/-/-/resolved@1729180800000","source":"driftgate/driftgate",\
                "type":"driftgate.alert.v1","time":"2024-10-17T16:00:00.000Z","datacontenttype":"application/json",\
                "data":{"alert_id":"dead_letters_rising/-/-/resolved@1729180800000","kind":"dead_letters_rising",\
                "severity":"warning","state":"resolved","model":null,"request_id":null,"at":"2024-10-17T16:00:00.000Z",\
                "at_ms":1729180800000,"text":"No more dead letters."}}
                """)
        #expect(event.key == Array("driftgate".utf8))
    }

    @Test("offsets are sorted by topic, then by partition as a number")
    func offsets() {
        let json = String(decoding: encoder.encode(SampleEffects.request).value, as: UTF8.self)
        #expect(
            json.contains(#""offsets":{"actuals":{"0":[0,9]},"predictions":{"2":[0,40],"10":[5,50]}},"complete":true"#))
        let decision = String(decoding: encoder.encode(SampleEffects.decision).value, as: UTF8.self)
        #expect(decision.contains(#""positions":{"actuals":{"0":9},"predictions":{"2":5,"10":7}}"#))
    }

    @Test("every event reads back as a CloudEvent, with the fields where the contract says")
    func readsBack() throws {
        let map = try FieldMap([
            .actual: ["model": "/model", "entity": "/decision_id", "at": "/evaluated_at_ms", "values": "/signal/terms"]
        ])
        let event = encoder.encode(SampleEffects.decision)
        let expected = OwnedRecord.Outcome(
            model: "tft-prod", entity: "tft-prod@1729180800000",
            values: ["prediction_error": 0.25, "distribution_shift": 0.1, "feature_drift": 0.0375, "anomaly_rate": 0])
        #expect(RecordDecoder(fields: map).owned(.actual, event.value) == .actual(expected))
        for (name, effect) in SampleEffects.all {
            // Fields are missing, but the event itself is in order: nothing about JSON or CloudEvents is said.
            let rejection = RecordDecoder().owned(.actual, encoder.encode(effect).value).rejection
            #expect(rejection?.reason == .missingField, "\(name): \(rejection?.detail ?? "")")
        }
    }

    @Test("only content-type and traceparent, and traceparent only on requests")
    func headers() {
        for (_, effect) in SampleEffects.all {
            let event = encoder.encode(effect)
            #expect(
                event.headers.map(\.name)
                    == (event.kind == .request ? ["content-type", "traceparent"] : ["content-type"]))
            #expect(event.headers[0] == EventHeader("content-type", "application/cloudevents+json; charset=UTF-8"))
        }
    }

    @Test("re-sends of a request are one trace, and other requests another")
    func traces() {
        var request = SampleEffects.request
        let second = TraceParent.text(requestID: request.requestID, eventID: "\(request.requestID).2")
        request.attempt = 3
        let third = String(decoding: encoder.encode(request).headers[1].value, as: UTF8.self)
        #expect(third.utf8.count == 55 && third.hasPrefix("00-") && third.hasSuffix("-01"))
        #expect(third.prefix(35) == second.prefix(35) && third != second)
        let traces = Set((0..<10_000).map { TraceParent.text(requestID: "rt-\($0)", eventID: "").prefix(35) })
        #expect(traces.count == 10_000)
    }

    @Test("what is not finite becomes null, and never NaN")
    func notFinite() {
        var signal = SampleEffects.signal
        signal.score = .nan
        signal.plainScore = .infinity
        var decision = SampleEffects.decision
        decision.signal = signal
        let json = String(decoding: encoder.encode(decision).value, as: UTF8.self)
        #expect(json.contains(#""signal":{"score":null,"#) && json.contains(#""plain_score":null"#))
    }

    @Test("an application id that no URI may hold is encoded")
    func source() {
        #expect(EventEncoder(applicationID: "team a/ü").source == "driftgate/team%20a/%C3%BC")
    }

    @Test func data() {
        let event = String(decoding: encoder.encode(SampleEffects.verdict).value, as: UTF8.self)
        let data = String(decoding: EventEncoder.data(of: .verdict(SampleEffects.verdict)), as: UTF8.self)
        #expect(event.hasSuffix("\"data\":" + data + "}"))
    }

    @Test func deadLetter() {
        let rejection = Rejection(.missingField, field: "at", detail: "at is missing.")
        let headers = DeadLetter.headers(
            for: rejection, topic: "predictions", partition: 3, offset: 99, applicationID: "driftgate", task: 1)
        let expected = [
            "topic=predictions", "partition=3", "offset=99", "connector.name=driftgate", "task.id=1",
            "stage=VALUE_CONVERTER",
            "class.name=driftgate.RecordDecoder", "exception.class.name=missing_field",
            "exception.message=at is missing.",
        ]
        #expect(
            headers.map { "\($0.name)=\(String(decoding: $0.value, as: UTF8.self))" }
                == expected.map { "__connect.errors." + $0 })
    }
}

/// Protects: the examples of input records in `contracts/examples` are records that the worker takes.
@Suite struct InputExampleTests {
    static let examples: [(name: String, role: RecordRole)] = [
        ("prediction", .prediction), ("prediction-quantiles", .prediction), ("prediction-cloudevent", .prediction),
        ("actual", .actual), ("load", .load), ("training-status", .trainingStatus), ("command", .command),
    ]

    @Test(arguments: examples.indices)
    func isTaken(_ index: Int) throws {
        let (name, role) = Self.examples[index]
        let bytes = try #require(Files.read("examples/\(name).json"))
        #expect(RecordDecoder().owned(role, bytes).rejection == nil)
    }
}

/// Files of the folder `contracts`.
enum Files {
    private static func path(_ name: String) -> String {
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        return (parts + ["contracts", name[...]]).joined(separator: "/")
    }

    static func read(_ name: String) -> [UInt8]? {
        guard let file = fopen(path(name), "rb") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return bytes
    }

    static func write(_ name: String, _ bytes: [UInt8]) {
        guard let file = fopen(path(name), "wb") else { return }
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }
}
