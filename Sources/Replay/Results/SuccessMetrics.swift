import Retraining

/// The success metrics of the original design (section 12), as one table.
package struct SuccessMetrics: Sendable {
    package struct Row: Sendable {
        package var name: String
        package var target: String
        package var measured: String
        /// Nil where the target does not apply.
        package var isMet: Bool?
        package var detail: String
    }

    package let rows: [Row]

    package init(_ result: ReplayResult) {
        let trainings = result.trainings
        let policy = result.schedules.first { $0.isPolicy }?.trainings ?? trainings.count
        func fixed(_ name: String) -> Int? { result.schedules.first { $0.name == name }?.trainings }
        func fewer(_ other: Int?) -> Double? { other.flatMap { $0 > 0 ? 1 - Double(policy) / Double($0) : nil } }
        let (daily, weekly) = (fewer(fixed("daily")), fewer(fixed("weekly")))
        // A policy that could measure nothing has saved nothing.
        let hasMeasured = result.models.contains { $0.rated > 0 }
        let saves = hasMeasured ? daily.map { $0 >= 0.6 } : nil
        var rows: [Row] = []
        rows.append(
            Row(
                name: "Training efficiency", target: "60 % fewer than a fixed schedule",
                measured: "\(Figures.change(daily)) daily, \(Figures.change(weekly)) weekly",
                isMet: saves,
                detail: "\(policy) trainings; daily \(Figures.count(fixed("daily"))), weekly "
                    + Figures.count(fixed("weekly"))))
        rows += Self.response(trainings)
        let high = result.schedules.first { $0.isPolicy }?.inHighLoad ?? trainings.count { $0.isHighLoad }
        let allowed = trainings.count { $0.isHighLoad && $0.reason.mayHitHighLoad }
        rows.append(
            Row(
                name: "Production impact", target: "no training in high load", measured: "\(high) of \(policy)",
                isMet: policy > 0 ? high == 0 : nil,
                detail: "above the 75th percentile of the load of 14 days; \(allowed) of them by reasons that may"))
        rows.append(Self.freshness(result))
        let saved = result.price.flatMap { price in
            fixed("daily").map {
                "\(Figures.money(Double($0 - policy) * price)) \(result.currency) saved against daily"
            }
        }
        rows.append(
            Row(
                name: "Cost savings", target: "60 % less compute for training",
                measured: "\(Figures.change(daily)) daily, \(Figures.change(weekly)) weekly",
                isMet: saves,
                detail: saved.map { "\(result.cost(of: policy) ?? ""); \($0)" }
                    ?? "every training costs the same; say --price to see money"))
        self.rows = rows
    }

    /// In a closed loop the error of what was served, by the evaluator's rules; else that of the engine's windows.
    private static func freshness(_ result: ReplayResult) -> Row {
        let rated = result.models.reduce(0) { $0 + $1.rated }
        let measured = result.models.reduce(0) { $0 + $1.errorSum } / Double(max(1, rated))
        let served = result.schedules.first { $0.isPolicy }?.mape
        let error = served ?? measured
        let below = Double(result.models.reduce(0) { $0 + $1.belowTenPercent }) / Double(max(1, rated))
        let breached = Double(result.models.reduce(0) { $0 + $1.breached }) / Double(max(1, rated))
        let measure = served == nil ? result.configuration.drift.errorMeasure.rawValue.uppercased() : "MAPE as served"
        return Row(
            name: "Model freshness", target: "prediction error below 10 %",
            measured: rated > 0 ? "mean \(Figures.percent(error))" : "not measured",
            isMet: rated > 0 ? error < 0.10 : nil,
            detail: "\(measure); below 10 % in \(Figures.percent(below)) of evaluations, worse than agreed in "
                + Figures.percent(breached))
    }

    /// From when drift was established to when a training was asked for: as it was, and had quiet not mattered.
    private static func response(_ trainings: [ModelTrace.Training]) -> [Row] {
        func spans(_ end: (ModelTrace.Training) -> Milliseconds?) -> [Double] {
            trainings.compactMap { training in
                guard let start = training.detected, let end = end(training) else { return nil }
                return Double(end - start) / Double(Milliseconds.hour)
            }.sorted()
        }
        func row(_ name: String, _ hours: [Double], _ detail: String) -> Row {
            guard !hours.isEmpty else {
                return Row(
                    name: name, target: "within 4 h of detection", measured: "no training by drift", isMet: nil,
                    detail: detail)
            }
            let within = Double(hours.count { $0 <= 4 }) / Double(hours.count)
            return Row(
                name: name, target: "within 4 h of detection",
                measured:
                    "\(Figures.percent(within)) within 4 h; median \(Figures.hours(hours[hours.count / 2])), 9 of 10 within "
                    + "\(Figures.hours(hours[min(hours.count - 1, hours.count * 9 / 10)])), longest "
                    + Figures.hours(hours.last!), isMet: within >= 0.9,
                detail: "\(hours.count) trainings by drift; \(detail)")
        }
        return [
            row("Response time", spans { $0.at }, "waiting for quiet included"),
            row("Response time without the quiet gate", spans { $0.ready ?? $0.at }, "safeguards only"),
        ]
    }
}
