/// What the demo is to do.
public struct DemoOptions: Sendable {
    public enum Scene: Sendable, Equatable {
        /// Twenty simulated servers, fast.
        case simulated
        /// This machine, in real time.
        case thisHost
        /// A recorded set with stored forecasts, fast.
        case data(directory: String, family: ForecastFamily)
    }

    /// Which stored forecasts of a recorded set to feed.
    public enum ForecastFamily: String, Sendable, CaseIterable {
        case ridge, lgb
    }

    public var scene = Scene.simulated
    /// Leave the broker up at the end, until the demo is interrupted.
    public var keep = false
    /// Of the simulated world; the same seed gives the same world.
    public var seed: UInt64 = 7
    /// Hours of stream time in one second of wall-clock time; nil takes what suits the scene.
    public var hoursPerSecond: Double?
    /// Days that the simulated story lasts, 18 to 40.
    public var days = 28
    /// Only the summary.
    public var quiet = false
    /// The program to start as the worker; nil takes this one.
    public var workerExecutable: String?

    public init() {}
}

/// Runs the demo on the calling thread until it is over or the process is asked to stop by SIGINT or SIGTERM.
///
/// - Returns: the exit code: 0 at the end of the story, 130 after an interruption.
/// - Throws: errors whose description says what went wrong and what to do about it.
public func runDemo(_ options: DemoOptions) throws -> Int32 {
    Interruption.install()
    do {
        switch options.scene {
        case .simulated: try SimulatedDemo(options).run()
        case .thisHost: try HostDemo(options).run()
        case .data(let directory, let family): try DataSetDemo(options, directory: directory, family: family).run()
        }
        return 0
    } catch is Interrupted {
        return 130
    }
}
