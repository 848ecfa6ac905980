package import Retraining

/// One entity of a recorded set: what happened, and what a model trained on any candidate day would have forecast.
package struct RecordedEntity: Sendable {
    package static let step: Milliseconds = .hour

    package let name: String
    package let metrics: [String]
    /// Time of the first actual.
    package let start: Milliseconds
    /// By hour, then metric; NaN where nothing was measured.
    package let actuals: [[Double]]
    /// Midnights before which the stored models were trained, ascending.
    package let models: [Milliseconds]
    package let modelNames: [String]
    /// By hour of issue.
    package let forecasts: [Milliseconds: [StoredForecast]]
    /// In order of time, each with the value of the first load column.
    package let load: [(time: Milliseconds, value: Double)]
    package let loadColumn: String

    /// What all stored models forecast at one hour for one metric and horizon.
    package struct StoredForecast: Sendable {
        package var metric: Int
        package var horizonHours: Int
        /// By model; shorter where the rest is empty, NaN where a model has none.
        package var values: [Double]

        package init(metric: Int, horizonHours: Int, values: [Double]) {
            self.metric = metric
            self.horizonHours = horizonHours
            self.values = values
        }
    }

    package init(
        name: String, metrics: [String], start: Milliseconds, actuals: [[Double]], models: [Milliseconds],
        modelNames: [String], forecasts: [Milliseconds: [StoredForecast]],
        load: [(time: Milliseconds, value: Double)], loadColumn: String
    ) {
        self.name = name
        self.metrics = metrics
        self.start = start
        self.actuals = actuals
        self.models = models
        self.modelNames = modelNames
        self.forecasts = forecasts
        self.load = load
        self.loadColumn = loadColumn
    }

    /// Time of the last actual.
    package var end: Milliseconds { start + Int64(actuals.count - 1) * Self.step }
    /// From here on there are forecasts.
    package var servedFrom: Milliseconds { models[0] }

    package func actuals(at time: Milliseconds) -> [Double]? {
        let index = Int((time - start) / Self.step)
        return time >= start && index < actuals.count ? actuals[index] : nil
    }

    /// The newest stored model that a training asked for at `time` gives: trained before the last midnight.
    package func newestModel(at time: Milliseconds) -> Int {
        models.lastIndex { $0 <= time } ?? 0
    }

    /// What the model in `column` serves. A model that is too old has no forecasts stored: then the oldest one that has
    /// them speaks for it.
    package func served(_ forecast: StoredForecast, column: Int) -> Double? {
        if column < forecast.values.count, forecast.values[column].isFinite { return forecast.values[column] }
        guard column < forecast.values.count else { return nil }
        return forecast.values[column...].first { $0.isFinite }
    }
}
