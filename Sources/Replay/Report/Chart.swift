import Contracts
import Retraining

/// A chart over time as SVG: lines, areas, bands and marks, with axes; readable without colour and without a script.
struct Chart {
    struct Line {
        var name: String
        /// Class of its colour in the page's style sheet.
        var style: String
        /// Nil breaks the line.
        var points: [(at: Milliseconds, value: Double?)]
        var isArea = false
    }

    struct Limit {
        var name: String
        var value: Double
        var style: String
    }

    struct Mark {
        var at: Milliseconds
        var text: String
        /// Marks of one style share a shape: `trigger` is a triangle, `rollback` a cross.
        var style: String
    }

    var title: String
    var summary: String
    var from: Milliseconds
    var to: Milliseconds
    var low = 0.0
    var high: Double
    var lines: [Line] = []
    /// Put on top of one another, the first at the bottom.
    var stacked: [Line] = []
    var limits: [Limit] = []
    var marks: [Mark] = []
    /// Stretches of time that are shaded.
    var bands: [(from: Milliseconds, to: Milliseconds)] = []
    var bandName = ""
    /// How a value is written at the axis.
    var format: (Double) -> String = { Figures.fixed($0, 2) }

    private static let width = 960.0
    private static let height = 190.0
    private static let (left, right, top, bottom) = (52.0, 118.0, 18.0, 24.0)

    private func x(_ time: Milliseconds) -> Double {
        let span = Double(max(1, to - from))
        return Self.left + Double(time - from) / span * (Self.width - Self.left - Self.right)
    }

    private func y(_ value: Double) -> Double {
        let share = (min(max(value, low), high) - low) / max(1e-9, high - low)
        return Self.height - Self.bottom - share * (Self.height - Self.top - Self.bottom)
    }

    private func place(_ value: Double) -> String { Figures.fixed(value, 1) }

    var svg: String {
        var text =
            "<figure><figcaption><strong>\(HTMLText.escaped(title))</strong> \(HTMLText.escaped(summary))</figcaption>"
            + "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" role=\"img\" "
            + "aria-label=\"\(HTMLText.escaped(title + ". " + summary))\" preserveAspectRatio=\"none\">"
        let bottom = Self.height - Self.bottom
        for band in bands where band.to > from && band.from < to {
            let (start, end) = (x(max(from, band.from)), x(min(to, band.to)))
            text +=
                "<rect class=\"band\" x=\"\(place(start))\" y=\"\(place(Self.top))\" "
                + "width=\"\(place(max(0.4, end - start)))\" height=\"\(place(bottom - Self.top))\"/>"
        }
        text += axes
        text += stack
        for line in lines { text += path(line) }
        // Names stand beside the plot, where no mark lies over them, the highest first and never one on another.
        var nameHeight = -Double.infinity
        for limit in limits.sorted(by: { $0.value > $1.value }) where limit.value <= high {
            nameHeight = max(y(limit.value) + 3.5, nameHeight + 12)
            let height = place(y(limit.value))
            text +=
                "<line class=\"limit \(limit.style)\" x1=\"\(place(Self.left))\" x2=\"\(place(Self.width - Self.right))\" "
                + "y1=\"\(height)\" y2=\"\(height)\"/>"
                + "<text class=\"limit-name\" x=\"\(place(Self.width - Self.right + 6))\" "
                + "y=\"\(place(nameHeight))\">\(HTMLText.escaped(limit.name))</text>"
        }
        for mark in marks where mark.at >= from && mark.at <= to { text += shape(mark) }
        return text + "</svg>" + legend + "</figure>\n"
    }

    private var axes: String {
        var text = ""
        let bottom = Self.height - Self.bottom
        for step in 0...4 {
            let value = low + (high - low) * Double(step) / 4
            let height = place(y(value))
            text +=
                "<line class=\"grid\" x1=\"\(place(Self.left))\" x2=\"\(place(Self.width - Self.right))\" "
                + "y1=\"\(height)\" y2=\"\(height)\"/><text class=\"axis\" x=\"\(place(Self.left - 6))\" "
                + "y=\"\(place(y(value) + 3.5))\" text-anchor=\"end\">\(HTMLText.escaped(format(value)))</text>"
        }
        for time in ticks {
            text +=
                "<line class=\"grid\" x1=\"\(place(x(time)))\" x2=\"\(place(x(time)))\" y1=\"\(place(Self.top))\" "
                + "y2=\"\(place(bottom))\"/><text class=\"axis\" x=\"\(place(x(time)))\" "
                + "y=\"\(place(bottom + 15))\" text-anchor=\"middle\">\(tickName(time))</text>"
        }
        return text
    }

    /// Whole hours or days, at most ten.
    private var ticks: [Milliseconds] {
        let steps: [Milliseconds] = [1, 2, 3, 6, 12, 24, 48, 168, 336, 720, 2160].map { $0 * .hour }
        let step = steps.first { (to - from) / $0 <= 10 } ?? 8760 * .hour
        let first = from.floored(to: step) == from ? from : from.floored(to: step) + step
        return Array(stride(from: first, through: to, by: Int(step)))
    }

    private func tickName(_ time: Milliseconds) -> String {
        let text = Timestamp.text(time) ?? ""
        let day = text.dropFirst(5).prefix(5)
        return to - from > 4 * .day || time % .day == 0 ? String(day) : "\(text.dropFirst(11).prefix(5))"
    }

    private func path(_ line: Line) -> String {
        var data = ""
        var isDown = false
        for (at, value) in line.points {
            guard let value, value.isFinite else {
                isDown = false
                continue
            }
            data += "\(isDown ? "L" : "M")\(place(x(at))) \(place(y(value)))"
            isDown = true
        }
        return data.isEmpty ? "" : "<path class=\"line \(line.style)\" d=\"\(data)\"/>"
    }

    private var stack: String {
        guard let first = stacked.first, first.points.count > 1 else { return "" }
        var below = first.points.map { _ in 0.0 }
        var text = ""
        for line in stacked {
            let above = zip(below, line.points).map { $0 + max(0, $1.value ?? 0) }
            var data = ""
            for (index, point) in line.points.enumerated() {
                data += "\(index == 0 ? "M" : "L")\(place(x(point.at))) \(place(y(above[index])))"
            }
            for (index, point) in line.points.enumerated().reversed() {
                data += "L\(place(x(point.at))) \(place(y(below[index])))"
            }
            text += "<path class=\"area \(line.style)\" d=\"\(data)Z\"/>"
            below = above
        }
        return text
    }

    private func shape(_ mark: Mark) -> String {
        let (x, y) = (x(mark.at), Self.top)
        let title = "<title>\(HTMLText.escaped(mark.text))</title>"
        let rule =
            "<line class=\"rule\" x1=\"\(place(x))\" x2=\"\(place(x))\" y1=\"\(place(y))\" "
            + "y2=\"\(place(Self.height - Self.bottom))\"/>"
        let points =
            mark.style == "rollback"
            ? "M\(place(x - 5)) \(place(y - 10))L\(place(x + 5)) \(place(y))M\(place(x + 5)) \(place(y - 10))L\(place(x - 5)) \(place(y))"
            : "M\(place(x - 6)) \(place(y - 11))L\(place(x + 6)) \(place(y - 11))L\(place(x)) \(place(y))Z"
        return "<g class=\"mark \(mark.style)\">\(title)\(rule)<path d=\"\(points)\"/></g>"
    }

    private var legend: String {
        var items = (lines + stacked).map { ($0.style, $0.name, stacked.isEmpty ? "key" : "key fill") }
        if !bands.isEmpty { items.append(("band", bandName, "key fill")) }
        if marks.contains(where: { $0.style == "trigger" }) {
            items.append(("trigger", "training requested", "key shape"))
        }
        if marks.contains(where: { $0.style == "rollback" }) {
            items.append(("rollback", "rolled back", "key cross"))
        }
        guard items.count > 1 else { return "" }
        return "<p class=\"legend\">"
            + items.map { "<span><i class=\"\($0.2) \($0.0)\"></i>\(HTMLText.escaped($0.1))</span>" }.joined()
            + "</p>"
    }
}
