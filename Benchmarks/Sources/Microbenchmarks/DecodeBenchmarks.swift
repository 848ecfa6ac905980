import Contracts
import Retraining

/// Reading records: the topics hold such, with fields that are of no interest.
enum DecodeBenchmarks {
    static var all: [Benchmark] {
        [
            decode("decode, 1 value", .prediction, prediction(metrics: 1), bar: "≥ 4 M/s"),
            decode("decode, actual, 1 value", .actual, actual(metrics: 1), bar: "≥ 4 M/s"),
            decode("decode, 14 values", .prediction, prediction(metrics: 14), bar: ""),
        ]
    }

    private static func decode(_ name: String, _ role: RecordRole, _ text: String, bar: String) -> Benchmark {
        Benchmark(
            name: name, operation: "record", bar: bar, bytes: text.utf8.count, countedOperations: 2_000,
            prepare: {
                let decoder = RecordDecoder()
                let bytes = Array(text.utf8)
                return { count in
                    bytes.withUnsafeBytes { bytes in
                        seconds {
                            for _ in 0..<count {
                                if case .rejected(let rejection) = decoder.decode(role, value: bytes) {
                                    fatalError(rejection.detail)
                                }
                            }
                        }
                    }
                }
            })
    }

    static func values(_ metrics: Int) -> String {
        (0..<metrics).map { "\"\(metricNames[$0])\":\(41 + 3 * $0).\(10 + $0)" }.joined(separator: ",")
    }

    static func prediction(metrics: Int) -> String {
        #"{"id":"00000000000004d2","model":"tft-3","model_version":"2025-10-17","entity":"srv-01234","at":1729180800000,"#
            + #""issued_at":1729179900000,"values":{\#(values(metrics))},"schema":"prediction/1","#
            + #""features":{"hour":16,"dow":4,"lag1":40.8125},"source":"edge-03"}"#
    }

    static func actual(metrics: Int) -> String {
        #"{"id":"00000000000004d2","model":"tft-3","entity":"srv-01234","at":1729180800000,"values":{\#(values(metrics))},"#
            + #""quality":"good","host":{"zone":"eu-west-1b","rack":"r17","kernel":"6.1.0-18-amd64"},"#
            + #""collector":"agent-03","seq":123456}"#
    }

    static let metricNames = [
        "cpu_user_pct", "cpu_sys_pct", "mem_used_pct", "swap_used_pct", "disk_read_mb", "disk_write_mb", "net_in_mb",
        "net_out_mb", "load_1m", "load_5m", "open_files", "tcp_sessions", "gc_pause_ms", "queue_depth",
    ]
}
