public import Retraining

/// Encodes what leaves the engine as CloudEvents 1.0 in structured JSON mode.
///
/// The bytes depend on nothing but the effect and the application id: the same effect gives the same bytes in a worker,
/// a replay and a test. Keys are in a fixed order and always present; what is not known is null. A time is written twice:
/// `x` in RFC 3339 for people and orchestrators, `x_ms` in milliseconds since 1970 for programs.
public struct EventEncoder: Sendable {
    /// The CloudEvents source: `driftgate/` and the application id.
    public let source: String
    private let applicationID: String

    /// - Parameter applicationID: `EngineConfiguration.applicationID`.
    public init(applicationID: String) {
        self.applicationID = applicationID
        source = "driftgate/" + JSONText.percentEncoded(applicationID)
    }

    public func encode(_ effect: Effect) -> EncodedEvent {
        switch effect {
        case .decision(let decision): encode(decision)
        case .request(let request): encode(request)
        case .alert(let alert): encode(alert)
        case .verdict(let verdict): encode(verdict)
        }
    }

    public func encode(_ decision: Decision) -> EncodedEvent {
        event(.decision, id: decision.id, at: decision.evaluatedAt, subject: decision.model) {
            $0.decision(decision)
        }
    }

    /// A request carries `traceparent`, as a header and as an attribute, for those who see only one of them.
    public func encode(_ request: TrainingRequest) -> EncodedEvent {
        let id = "\(request.requestID).\(request.attempt)"
        return event(
            .request, id: id, at: request.requestedAt, subject: request.model,
            traceparent: TraceParent.text(requestID: request.requestID, eventID: id)
        ) {
            $0.request(request)
        }
    }

    public func encode(_ alert: Alert) -> EncodedEvent {
        event(.alert, id: alert.id, at: alert.at, subject: alert.model) { $0.alert(alert) }
    }

    public func encode(_ verdict: Verdict) -> EncodedEvent {
        event(.verdict, id: verdict.id, at: verdict.at, subject: verdict.model) { $0.verdict(verdict) }
    }

    /// The data of an event without its envelope, as one JSON object: for logs, HTTP and reports.
    public static func data(of effect: Effect) -> [UInt8] {
        var writer = JSONWriter(capacity: 4096)
        switch effect {
        case .decision(let decision): writer.decision(decision)
        case .request(let request): writer.request(request)
        case .alert(let alert): writer.alert(alert)
        case .verdict(let verdict): writer.verdict(verdict)
        }
        return writer.bytes
    }

    private func event(
        _ kind: EncodedEvent.Kind, id: String, at time: Milliseconds, subject: String?, traceparent: String? = nil,
        _ data: (inout JSONWriter) -> Void
    ) -> EncodedEvent {
        var writer = JSONWriter(capacity: 4096)
        writer.beginObject()
        writer.field("specversion", "1.0")
        writer.field("id", id)
        writer.field("source", source)
        writer.field("type", kind.type)
        // Optional attributes must not be null in a CloudEvent: they are left out instead.
        if let subject { writer.field("subject", subject) }
        if let text = Timestamp.text(time) { writer.field("time", text) }
        writer.field("datacontenttype", "application/json")
        if let traceparent { writer.field("traceparent", traceparent) }
        writer.key("data")
        data(&writer)
        writer.endObject()
        var headers = [EventHeader("content-type", "application/cloudevents+json; charset=UTF-8")]
        if let traceparent { headers.append(EventHeader("traceparent", traceparent)) }
        return EncodedEvent(
            kind: kind, key: Array((subject ?? applicationID).utf8), value: writer.bytes, headers: headers)
    }
}

enum JSONText {
    /// What a URI reference may hold stays, the rest is percent-encoded. RFC 3986, section 2.3.
    static func percentEncoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            let isPlain =
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "-._~/".utf8.contains(byte)
            if isPlain {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                encoded += byte < 0x10 ? "%0" : "%"
                encoded += String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }
}
