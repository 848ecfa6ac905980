import Foundation
import Retraining

/// Figures as people read them.
enum Format {
    /// `95.4 %`; a dash where there is none.
    static func percent(_ share: Double?) -> String {
        guard let share, share.isFinite else { return "   –  " }
        return String(format: "%4.1f %%", share * 100)
    }

    /// `0.187`; a dash where there is none.
    static func score(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "  –  " }
        return String(format: "%.3f", value)
    }

    /// `0.42`.
    static func load(_ value: Double?) -> String {
        guard let value, value.isFinite else { return " –  " }
        return String(format: "%.2f", value)
    }

    /// `16 h 30 min`; from three days on in whole days.
    static func duration(_ time: Milliseconds) -> String {
        if time >= 3 * .day { return "\((time + .day / 2) / .day) days" }
        let minutes = Int(time / .minute)
        if minutes < 60 { return "\(minutes) min" }
        return minutes % 60 == 0 ? "\(minutes / 60) h" : "\(minutes / 60) h \(minutes % 60) min"
    }

    /// A whole number without, anything else with one digit after the point.
    static func count(_ value: Double) -> String {
        value == value.rounded() ? String(Int(value)) : String(format: "%.1f", value)
    }

    /// Columns side by side: the first one flush left, the others flush right.
    static func table(_ rows: [[String]]) -> [String] {
        guard let first = rows.first else { return [] }
        let widths = first.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + padding : padding + cell
            }.joined(separator: "   ")
        }
    }
}
