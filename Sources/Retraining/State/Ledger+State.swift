// Trainings, requests, commands and statuses.

extension TrainingLedger {
    func encode(into writer: inout StateWriter) {
        writer.count(trainings.count)
        for training in trainings {
            writer.text(training.requestID)
            writer.name(training.reason)
            writer.time(training.requestedAt)
            writer.time(training.deadline)
            writer.name(training.state)
            writer.count(training.attempt)
            writer.time(training.sentAt)
            writer.bool(training.hasStarted)
            writer.optionalTime(training.endedAt)
            writer.optionalText(training.modelVersion)
            writer.bool(training.deploymentSettled)
        }
        writer.count(failuresInARow)
        writer.optionalTime(lastFailure)
        writer.optionalTime(firstSeen)
    }

    init(from reader: inout StateReader) throws(StateError) {
        self.init()
        for _ in 0..<(try reader.count(ofAtLeast: 11)) {
            var training = Training(
                requestID: try reader.text(), reason: try reader.name(Reason.self), requestedAt: try reader.time(),
                deadline: try reader.time(), sentAt: 0)
            training.state = try reader.name(State.self)
            training.attempt = try reader.integer()
            training.sentAt = try reader.time()
            training.hasStarted = try reader.bool()
            training.endedAt = try reader.optionalTime()
            training.modelVersion = try reader.optionalText()
            training.deploymentSettled = try reader.bool()
            trainings.append(training)
        }
        failuresInARow = try reader.integer()
        lastFailure = try reader.optionalTime()
        firstSeen = try reader.optionalTime()
    }
}

extension CommandRecord {
    func encode(into writer: inout StateWriter) {
        writer.name(kind)
        for text in [model, requestID, reason, by] { writer.optionalText(text) }
        writer.time(at)
    }

    init(from reader: inout StateReader) throws(StateError) {
        self.init(
            kind: try reader.name(Kind.self), model: try reader.optionalText(), requestID: try reader.optionalText(),
            reason: try reader.optionalText(), by: try reader.optionalText(), at: try reader.time())
    }
}

extension TrainingStatusRecord {
    func encode(into writer: inout StateWriter) {
        writer.text(requestID)
        writer.name(status)
        writer.time(at)
        for text in [runID, url, modelVersion] { writer.optionalText(text) }
        writer.optionalDouble(progress)
        writer.count(metrics.count)
        for (name, value) in metrics.sorted(by: { $0.key.precedes($1.key) }) {
            writer.text(name)
            writer.double(value)
        }
        writer.count(errors.count)
        for error in errors { writer.text(error) }
        QuantileSummary.encode(baseline, into: &writer)
    }

    init(from reader: inout StateReader) throws(StateError) {
        self.init(
            requestID: try reader.text(), status: try reader.name(Status.self), at: try reader.time(),
            runID: try reader.optionalText(), url: try reader.optionalText(), modelVersion: try reader.optionalText(),
            progress: try reader.optionalDouble())
        for _ in 0..<(try reader.count(ofAtLeast: 9)) {
            let name = try reader.text()
            metrics[name] = try reader.double()
        }
        for _ in 0..<(try reader.count()) { errors.append(try reader.text()) }
        baseline = try QuantileSummary.decode(from: &reader)
    }
}

extension TrainingRequest {
    func encode(into writer: inout StateWriter) {
        writer.text(requestID)
        writer.count(attempt)
        writer.text(model)
        writer.optionalText(modelVersion)
        writer.time(requestedAt)
        writer.text(mode)
        writer.count(epochs)
        writer.time(trainingFrom)
        writer.time(trainingTo)
        writer.count(offsets.count)
        for range in offsets {
            writer.text(range.topic)
            writer.signed(Int64(range.partition))
            writer.signed(range.from)
            writer.signed(range.to)
        }
        writer.bool(offsetsComplete)
        writer.time(keepShadow)
        writer.optionalTime(driftOnset)
        writer.name(reason)
        writer.text(text)
        writer.name(priority)
        writer.double(confidence)
        writer.optional(signal) { $1.encode(into: &$0) }
        writer.text(decisionID)
        writer.time(deadline)
        writer.text(replyTopic)
    }

    init(from reader: inout StateReader) throws(StateError) {
        requestID = try reader.text()
        attempt = try reader.integer()
        model = try reader.text()
        modelVersion = try reader.optionalText()
        requestedAt = try reader.time()
        mode = try reader.text()
        epochs = try reader.integer()
        trainingFrom = try reader.time()
        trainingTo = try reader.time()
        offsets = []
        for _ in 0..<(try reader.count(ofAtLeast: 4)) {
            offsets.append(
                OffsetRange(
                    topic: try reader.text(), partition: try reader.partition(), from: try reader.signed(),
                    to: try reader.signed()))
        }
        offsetsComplete = try reader.bool()
        keepShadow = try reader.time()
        driftOnset = try reader.optionalTime()
        reason = try reader.name(Reason.self)
        text = try reader.text()
        priority = try reader.name(Priority.self)
        confidence = try reader.double()
        signal = try reader.bool() ? try DriftSignal(from: &reader) : nil
        decisionID = try reader.text()
        deadline = try reader.time()
        replyTopic = try reader.text()
    }
}

extension StateReader {
    mutating func partition() throws(StateError) -> Int32 {
        guard let partition = Int32(exactly: try signed()) else { throw failure("no partition has such a number") }
        return partition
    }
}

extension DriftSignal {
    func encode(into writer: inout StateWriter) {
        writer.double(score)
        writer.name(scoring)
        writer.double(weightedScore)
        weights.encode(into: &writer)
        writer.name(recommendation)
        writer.double(confidence)
        terms.encode(into: &writer)
        plain.encode(into: &writer)
        writer.double(plainScore)
        writer.optional(floors) { $1.encode(into: &$0) }
        writer.name(errors.measure)
        for value in [errors.mape, errors.wape, errors.smape, errors.mase] { writer.optionalDouble(value) }
        writer.count(errors.skippedPairs)
        writer.count(metrics.count)
        for metric in metrics { metric.encode(into: &writer) }
        writer.count(pairs)
        writer.count(actuals)
        writer.count(predictions)
        writer.optionalTime(aboveSince)
    }

    init(from reader: inout StateReader) throws(StateError) {
        score = try reader.double()
        scoring = try reader.name(DriftConfiguration.Scoring.self)
        weightedScore = try reader.double()
        weights = try DriftConfiguration.Weights(from: &reader)
        recommendation = try reader.name(Recommendation.self)
        confidence = try reader.double()
        terms = try Terms(from: &reader)
        plain = try Terms(from: &reader)
        plainScore = try reader.double()
        floors = try reader.bool() ? try Floors(from: &reader) : nil
        errors = ErrorMeasures(
            measure: try reader.name(DriftConfiguration.ErrorMeasure.self), mape: try reader.optionalDouble(),
            wape: try reader.optionalDouble(), smape: try reader.optionalDouble(), mase: try reader.optionalDouble(),
            skippedPairs: try reader.integer())
        metrics = []
        for _ in 0..<(try reader.count(ofAtLeast: 11)) { metrics.append(try MetricDrift(from: &reader)) }
        pairs = try reader.integer()
        actuals = try reader.integer()
        predictions = try reader.integer()
        aboveSince = try reader.optionalTime()
    }
}

extension DriftConfiguration.Weights {
    func encode(into writer: inout StateWriter) {
        for value in [predictionError, distributionShift, featureDrift, anomalyRate] { writer.double(value) }
    }

    init(from reader: inout StateReader) throws(StateError) {
        self.init()
        predictionError = try reader.double()
        distributionShift = try reader.double()
        featureDrift = try reader.double()
        anomalyRate = try reader.double()
    }
}

extension DriftSignal.Terms {
    func encode(into writer: inout StateWriter) {
        for value in [predictionError, distributionShift, featureDrift, anomalyRate] { writer.double(value) }
    }

    init(from reader: inout StateReader) throws(StateError) {
        self.init(
            predictionError: try reader.double(), distributionShift: try reader.double(),
            featureDrift: try reader.double(), anomalyRate: try reader.double())
    }
}

extension DriftSignal.Floors {
    func encode(into writer: inout StateWriter) {
        for value in [skillRatio, skillReference, skillLimit, fastRatio, fastReference, fastLimit] {
            writer.optionalDouble(value)
        }
        for value in [fastGain, distributionShift, featureDrift, anomalyRate] { writer.double(value) }
    }

    init(from reader: inout StateReader) throws(StateError) {
        self.init(
            skillRatio: try reader.optionalDouble(), skillReference: try reader.optionalDouble(),
            skillLimit: try reader.optionalDouble(), fastRatio: try reader.optionalDouble(),
            fastReference: try reader.optionalDouble(), fastLimit: try reader.optionalDouble(),
            fastGain: try reader.double(), distributionShift: try reader.double(),
            featureDrift: try reader.double(), anomalyRate: try reader.double())
    }
}

extension MetricDrift {
    func encode(into writer: inout StateWriter) {
        writer.text(metric)
        for value in [
            statistic, pValue, meanShift, seasonalStatistic, seasonalMeanShift, statisticFloor, meanShiftFloor, error,
        ] { writer.optionalDouble(value) }
        writer.bool(isDrifted)
        writer.count(samples)
    }

    init(from reader: inout StateReader) throws(StateError) {
        self.init(metric: try reader.text())
        statistic = try reader.optionalDouble()
        pValue = try reader.optionalDouble()
        meanShift = try reader.optionalDouble()
        seasonalStatistic = try reader.optionalDouble()
        seasonalMeanShift = try reader.optionalDouble()
        statisticFloor = try reader.optionalDouble()
        meanShiftFloor = try reader.optionalDouble()
        error = try reader.optionalDouble()
        isDrifted = try reader.bool()
        samples = try reader.integer()
    }
}

extension QuietWindow {
    func encode(into writer: inout StateWriter) {
        writer.time(from)
        writer.time(to)
        writer.optionalDouble(expectedLoad)
    }

    init(from reader: inout StateReader) throws(StateError) {
        self.init(from: try reader.time(), to: try reader.time(), expectedLoad: try reader.optionalDouble())
    }
}

extension Verification {
    func encode(_ versions: NameDictionary, into writer: inout StateWriter) {
        writer.count(versions.indexOrNone(newVersion))
        writer.count(versions.indexOrNone(oldVersion))
        writer.time(since)
        writer.optionalText(requestID)
        writer.optionalDouble(oldRatio)
        writer.signed(looks)
        writer.bool(isAhead)
    }

    init(_ versions: [Int32], from reader: inout StateReader) throws(StateError) {
        self.init(
            newVersion: try reader.numberOrNone(versions), oldVersion: try reader.numberOrNone(versions),
            since: try reader.time(), requestID: try reader.optionalText(), oldRatio: try reader.optionalDouble(),
            looks: try reader.signed(), isAhead: try reader.bool())
    }
}
