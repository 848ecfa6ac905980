/// The constants of the calibrated error term. No settings: they hold for every model and every set, and each has its
/// reason. `Benchmarks/policy/sensitivity` shows what a fifth more or less of each does.
public struct SkillConstants: Sendable, Equatable {
    /// Hours of the slow ratio G: three and a half days, so that it holds work days and a part of any weekend.
    public var slowHours: Int64 = 84
    /// Hours of the fast ratio F: one day, so that the hours of the day weigh alike.
    public var fastHours: Int64 = 24
    /// Hours that must be filled for either.
    static let slowFill = 24
    static let fastFill = 12
    /// Of a version on trial, by the slow ratio: two whole days.
    public var trialFill = 48
    /// Not before a version has been judged for a day.
    static let fastAfter: Milliseconds = 24 * .hour
    /// With a loss of a quarter a trigger then needs a ratio above 1.10, whatever the reference. Of 6 140 pairs of
    /// (version, day), retraining gained nothing below 1.05, 4 % at 1.1 to 1.2, 7 % at 1.2 to 1.4, 49 % above.
    public var leastReference = 0.88
    /// A loss of a quarter by the fast ratio is 2.25 times what it is held against: a day is short.
    public var fastGain = 0.20
    /// After a roll-back the bar is higher by this, fading over a week: the last training did not help.
    public var backoff = 0.16
    public var backoffHours = 168.0
    /// Hours that a reference looks back, and the share of them that counts as good.
    public var referenceHours: Int64 = 21 * 24
    public var goodShare = 0.30
    /// Hours until a model is measured against itself alone: a week shows every hour of it.
    public var trustHours = 168.0
    /// Errors count up to so many times the mean magnitude of their series: beyond it a larger one says nothing more.
    public var errorLimit = 10.0

    public init() {}

    /// NaN, as of an absurd forecast of an absurd series, is as large as it gets.
    @inline(__always)
    func winsorised(_ error: Double) -> Double { error < errorLimit ? error : errorLimit }
}
