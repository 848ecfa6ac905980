import Retraining

/// The configurations of a sweep: trainings against error, with the frontier drawn through.
struct FrontierChart {
    private let points: [ReplayResult.FrontierPoint]
    private let errorName: String
    private static let (width, height) = (960.0, 300.0)
    private static let (left, right, top, bottom) = (64.0, 20.0, 14.0, 40.0)

    init(_ result: ReplayResult) {
        points = result.frontier.filter { $0.error.isFinite }.sorted {
            ($0.trainings, $0.error) < ($1.trainings, $1.error)
        }
        errorName = result.isClosedLoop ? "WAPE × daily retraining" : "mean error"
    }

    var html: String {
        guard let least = points.map(\.trainings).min(), let most = points.map(\.trainings).max(),
            let best = points.map(\.error).min(), let worst = points.map(\.error).max()
        else { return "" }
        let (lowX, highX) = (max(0, least - 0.5), most + 0.5)
        let padding = max(1e-4, (worst - best) * 0.12)
        let (lowY, highY) = (best - padding, worst + padding)
        func x(_ value: Double) -> Double {
            Self.left + (value - lowX) / (highX - lowX) * (Self.width - Self.left - Self.right)
        }
        func y(_ value: Double) -> Double {
            Self.height - Self.bottom - (value - lowY) / (highY - lowY) * (Self.height - Self.top - Self.bottom)
        }
        var svg = "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" role=\"img\" aria-label=\"Trainings a "
        svg += "model against \(errorName), \(points.count) configurations; the table below has the figures.\">"
        for step in 0...4 {
            let (across, up) = (lowX + (highX - lowX) * Double(step) / 4, lowY + (highY - lowY) * Double(step) / 4)
            svg +=
                "<line class=\"grid\" x1=\"\(Self.left)\" x2=\"\(Self.width - Self.right)\" y1=\"\(text(y(up)))\" y2=\"\(text(y(up)))\"/>"
            svg +=
                "<text class=\"axis\" x=\"\(Self.left - 6)\" y=\"\(text(y(up) + 4))\" text-anchor=\"end\">\(Figures.fixed(up, 3))</text>"
            svg +=
                "<text class=\"axis\" x=\"\(text(x(across)))\" y=\"\(Self.height - Self.bottom + 16)\" text-anchor=\"middle\">\(Figures.fixed(across, 1))</text>"
        }
        svg +=
            "<text class=\"axis\" x=\"\(Self.width / 2)\" y=\"\(Self.height - 6)\" text-anchor=\"middle\">trainings a model</text>"
        let frontier = points.filter(\.isOnFrontier)
        let path = frontier.enumerated().map { index, point in
            "\(index == 0 ? "M" : "L")\(text(x(point.trainings))) \(text(y(point.error)))"
        }
        svg += "<path class=\"line a\" d=\"\(path.joined())\"/>"
        for point in points {
            let style = point.isCurrent ? "current" : point.isOnFrontier ? "" : "beaten"
            svg +=
                "<circle class=\"dot \(style)\" cx=\"\(text(x(point.trainings)))\" cy=\"\(text(y(point.error)))\" r=\"\(point.isCurrent ? 7 : 4.5)\">"
            svg +=
                "<title>\(HTMLText.escaped(name(point))): \(Figures.fixed(point.trainings, 1)) trainings, \(Figures.fixed(point.error, 4))</title></circle>"
            if point.isCurrent {
                svg +=
                    "<text class=\"limit-name\" x=\"\(text(x(point.trainings) + 11))\" y=\"\(text(y(point.error) + 4))\">current</text>"
            }
        }
        svg += "</svg>"
        let rows = points.map { point in
            [
                name(point), Figures.fixed(point.trainings, 1), Figures.fixed(point.error, 4), "\(point.inHighLoad)",
                point.isOnFrontier ? "yes" : "no", point.isCurrent ? "current" : "",
            ]
        }
        return
            "<h2>What if</h2><figure><figcaption><strong>Trainings against \(errorName)</strong> lower left is better; "
            + "the line joins configurations that no other one beats in both.</figcaption>\(svg)</figure>"
            + HTMLText.table(
                ["configuration", "trainings a model", errorName, "in high load", "on the frontier", ""], rows,
                figures: [1, 2, 3]
            ) { points[$0].isCurrent ? "own" : nil }
    }

    private func text(_ value: Double) -> String { Figures.fixed(value, 1) }
    private func name(_ point: ReplayResult.FrontierPoint) -> String {
        point.settings.isEmpty ? "as configured" : point.settings.joined(separator: " ")
    }
}
