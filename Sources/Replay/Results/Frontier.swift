extension ReplayResult.FrontierPoint {
    package init(settings: [String], trainings: Double, error: Double, inHighLoad: Int, isCurrent: Bool) {
        self.settings = settings
        self.trainings = trainings
        self.error = error
        self.inHighLoad = inHighLoad
        self.isCurrent = isCurrent
    }

    /// Marks those that no other one beats in both trainings and error.
    package static func marked(_ points: [Self]) -> [Self] {
        points.map { point in
            var point = point
            point.isOnFrontier = !points.contains { other in
                other.trainings <= point.trainings && other.error <= point.error
                    && (other.trainings < point.trainings || other.error < point.error)
            }
            return point
        }
    }
}
