import Contracts
package import Retraining

/// Times as recorded sets write them.
package enum RecordedTime {
    package static func parse(_ text: String) -> Milliseconds? { Timestamp.parse(text) }

    /// Midnight (UTC) of a date such as `2013-07-29`.
    package static func midnight(of date: String) -> Milliseconds? { Timestamp.parse(date + "T00:00:00Z") }
}
