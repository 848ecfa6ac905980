import Retraining

/// One entity of a recorded set: what happened, and what a model trained on any candidate day would have forecast.
struct RecordedEntity: Sendable {
    static let step: Milliseconds = .hour

    let name: String
    let metrics: [String]
    /// Time of the first actual.
    let start: Milliseconds
    /// By hour, then metric; NaN where nothing was measured.
    let actuals: [[Double]]
    /// Midnights before which the stored models were trained, ascending.
    let models: [Milliseconds]
    let modelNames: [String]
    /// By hour of issue.
    let forecasts: [Milliseconds: [StoredForecast]]
    /// In order of time, each with the value of the first load column.
    let load: [(time: Milliseconds, value: Double)]
    let loadColumn: String

    /// What all stored models forecast at one hour for one metric and horizon.
    struct StoredForecast: Sendable {
        var metric: Int
        var horizonHours: Int
        /// By model; shorter where the rest is empty, NaN where a model has none.
        var values: [Double]
    }

    init(
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
    var end: Milliseconds { start + Int64(actuals.count - 1) * Self.step }
    /// From here on there are forecasts.
    var servedFrom: Milliseconds { models[0] }

    func actuals(at time: Milliseconds) -> [Double]? {
        let index = Int((time - start) / Self.step)
        return time >= start && index < actuals.count ? actuals[index] : nil
    }

    /// The newest stored model that a training asked for at `time` gives: trained before the last midnight.
    func newestModel(at time: Milliseconds) -> Int {
        models.lastIndex { $0 <= time } ?? 0
    }

    /// What the model in `column` serves. A model that is too old has no forecasts stored: then the oldest one that has
    /// them speaks for it.
    func served(_ forecast: StoredForecast, column: Int) -> Double? {
        if column < forecast.values.count, forecast.values[column].isFinite { return forecast.values[column] }
        guard column < forecast.values.count else { return nil }
        return forecast.values[column...].first { $0.isFinite }
    }
}
