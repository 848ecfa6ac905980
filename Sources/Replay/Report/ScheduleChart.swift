import Retraining

/// What every schedule would have taken, as bars: trainings, and their cost where a price is known.
struct ScheduleChart {
    private let result: ReplayResult
    private static let (width, rowHeight, left, right) = (960.0, 24.0, 190.0, 190.0)

    init(_ result: ReplayResult) { self.result = result }

    var html: String {
        let schedules = result.schedules
        guard let most = schedules.map(\.trainings).max(), most > 0 else { return "" }
        let name = result.price == nil ? "Trainings" : "Cost of training"
        let height = Int(Double(schedules.count) * Self.rowHeight) + 4
        var svg =
            "<svg viewBox=\"0 0 \(Int(Self.width)) \(height)\" role=\"img\" aria-label=\"\(name) by schedule; the "
        svg += "table above has the figures.\">"
        for (index, schedule) in schedules.enumerated() {
            let y = Double(index) * Self.rowHeight + 4
            let length = Double(schedule.trainings) / Double(most) * (Self.width - Self.left - Self.right)
            svg += "<text class=\"bar-name\" x=\"\(Int(Self.left) - 8)\" y=\"\(place(y + 13))\" text-anchor=\"end\">"
            svg += "\(HTMLText.escaped(schedule.name))</text><rect class=\"bar\(schedule.isPolicy ? " own" : "")\" "
            svg += "x=\"\(Int(Self.left))\" y=\"\(place(y))\" width=\"\(place(max(1, length)))\" "
            svg += "height=\"\(place(Self.rowHeight - 7))\"/>"
            svg += "<text class=\"axis\" x=\"\(place(Self.left + length + 6))\" y=\"\(place(y + 13))\">"
            svg += "\(HTMLText.escaped(figure(schedule)))</text>"
        }
        return
            "<figure><figcaption><strong>\(name)</strong> by schedule\(explanation)</figcaption>\(svg)</svg></figure>\n"
    }

    private var explanation: String {
        result.isClosedLoop ? ", and its WAPE against daily retraining" : ""
    }

    private func figure(_ schedule: ReplayResult.Schedule) -> String {
        let parts = [
            result.cost(of: schedule.trainings) ?? Figures.grouped(schedule.trainings),
            schedule.againstDaily.map { "WAPE × \(Figures.fixed($0, 3))" },
        ]
        return parts.compactMap { $0 }.joined(separator: " · ")
    }

    private func place(_ value: Double) -> String { Figures.fixed(value, 1) }
}
