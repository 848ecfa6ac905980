import Foundation

/// What the worker publishes, read as any other consumer would: CloudEvents off the topics.
enum WorkerEvent {
    case decision(DecisionEvent)
    case request(RequestEvent)
    case alert(AlertEvent)
    case verdict(VerdictEvent)

    /// Nil for an event of another type.
    ///
    /// - Throws: `DecodingError` where the event is not what the contract says.
    init?(_ value: Data) throws {
        let decoder = JSONDecoder()
        switch try decoder.decode(Envelope.self, from: value).type {
        case "driftgate.decision.v1": self = .decision(try decoder.decode(Event<DecisionEvent>.self, from: value).data)
        case "driftgate.request.v1": self = .request(try decoder.decode(Event<RequestEvent>.self, from: value).data)
        case "driftgate.alert.v1": self = .alert(try decoder.decode(Event<AlertEvent>.self, from: value).data)
        case "driftgate.verdict.v1": self = .verdict(try decoder.decode(Event<VerdictEvent>.self, from: value).data)
        default: return nil
        }
    }

    private struct Envelope: Decodable {
        var type: String
    }

    private struct Event<Body: Decodable>: Decodable {
        var data: Body
    }
}
