/// Writes metrics in Prometheus's text format 0.0.4, family by family.
///
/// Names and help texts are ours and are written as they are; label values may come from Kafka and are escaped.
/// A family without samples is left out.
public struct PrometheusText {
    public enum Kind: String, Sendable { case counter, gauge, histogram }

    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    public private(set) var bytes: [UInt8] = []

    public init() { bytes.reserveCapacity(64 << 10) }

    /// - Parameter samples: each a value with its labels, rendered by ``labels(_:)`` beforehand.
    public mutating func family(
        _ name: String, _ kind: Kind, _ help: String, _ samples: [(labels: [UInt8], value: Double)]
    ) {
        guard !samples.isEmpty else { return }
        begin(name, kind, help)
        for sample in samples { append(name, sample.labels, sample.value) }
    }

    /// One sample without labels.
    public mutating func family(_ name: String, _ kind: Kind, _ help: String, _ value: Double?) {
        if let value { family(name, kind, help, [([], value)]) }
    }

    /// - Parameters:
    ///   - edges: upper edges of the buckets, ascending.
    ///   - counts: one a bucket, not cumulative, and one for what lies beyond the last edge.
    public mutating func histogram(_ name: String, _ help: String, edges: [Double], counts: [UInt64], sum: Double) {
        begin(name, .histogram, help)
        var total: UInt64 = 0
        for (index, count) in counts.enumerated() {
            total += count
            let edge = index < edges.count ? Self.text(edges[index]) : "+Inf"
            append(name + "_bucket", Self.labels([("le", edge)]), Double(total))
        }
        append(name + "_sum", [], sum)
        append(name + "_count", [], Double(total))
    }

    /// `{a="1",b="2"}` as bytes; values escaped.
    public static func labels(_ pairs: [(name: String, value: String)]) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        for (index, pair) in pairs.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += pair.name.utf8
            bytes += "=\"".utf8
            for byte in pair.value.utf8 {
                switch byte {
                case UInt8(ascii: "\\"): bytes += "\\\\".utf8
                case UInt8(ascii: "\""): bytes += "\\\"".utf8
                case UInt8(ascii: "\n"): bytes += "\\n".utf8
                default: bytes.append(byte)
                }
            }
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    private mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
        bytes += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n".utf8
    }

    private mutating func append(_ name: String, _ labels: [UInt8], _ value: Double) {
        bytes += name.utf8
        bytes += labels
        bytes.append(UInt8(ascii: " "))
        bytes += Self.text(value).utf8
        bytes.append(UInt8(ascii: "\n"))
    }

    static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        guard value.isFinite else { return value < 0 ? "-Inf" : "+Inf" }
        return Int64(exactly: value).map(String.init) ?? "\(value)"
    }
}
