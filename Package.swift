// swift-tools-version: 6.1
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]
// Debug builds, and so the tests, check at run time that nobody changes what somebody else is changing. On the path of a
// message those checks are a fifth of the time.
let messagePathSettings =
    settings + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

// `scripts/simulate` builds the harness of SimulationTests as a program, optimised; nothing else does.
let harness: [Target.Dependency] = [
    "Contracts", "Kafka", "Retraining", "SimulatedLog", "StateRecords", "Worker", logging,
]
let simulation: Target =
    Context.environment["DRIFTGATE_SIMULATE"] == nil
    ? .testTarget(
        name: "SimulationTests", dependencies: harness, exclude: ["SimulateProgram.swift"], swiftSettings: settings)
    : .executableTarget(
        name: "simulate", dependencies: harness, path: "Tests/SimulationTests",
        exclude: ["InterleavingTests.swift", "RecoveryTests.swift", "SabotageTests.swift", "SimulationTests.swift"],
        swiftSettings: settings)

// Lowest first; nothing imports upwards.
let package = Package(
    name: "driftgate",
    products: [
        .executable(name: "driftgate", targets: ["driftgate"]),
        // For the packages in Fuzz/ and Benchmarks/.
        .library(name: "Contracts", targets: ["Contracts"]),
        .library(name: "Operations", targets: ["Operations"]),
        .library(name: "Worker", targets: ["Worker"]),
        .library(name: "Retraining", targets: ["Retraining"]),
        .library(name: "RingBuffers", targets: ["RingBuffers"]),
        .library(name: "Statistics", targets: ["Statistics"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CLibrdkafka", path: "CLibrdkafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(name: "CZlib", path: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", path: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(
            name: "CLibcurl", path: "CLibcurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(name: "CSimdjson", linkerSettings: [.linkedLibrary("simdjson"), .linkedLibrary("m")]),
        .target(name: "CPrefetch"),
        .target(name: "RingBuffers", swiftSettings: settings),
        .target(name: "Statistics", swiftSettings: settings),
        .target(
            name: "Retraining", dependencies: ["CPrefetch", "RingBuffers", "Statistics"],
            swiftSettings: messagePathSettings),
        .target(name: "Contracts", dependencies: ["CSimdjson", "Retraining"], swiftSettings: messagePathSettings),
        .target(name: "StateRecords", dependencies: ["CZlib", "Retraining"], swiftSettings: settings),
        .target(name: "Kafka", dependencies: ["CLibrdkafka"], swiftSettings: messagePathSettings),
        .target(
            name: "Worker", dependencies: ["Contracts", "Kafka", "Retraining", "StateRecords", logging],
            swiftSettings: messagePathSettings),
        .target(
            name: "Operations", dependencies: ["CLibcurl", "Contracts", "Kafka", "Retraining", "Worker", yams],
            swiftSettings: settings),
        .target(
            name: "Replay", dependencies: ["Contracts", "CZlib", "CZstd", "Kafka", "Retraining", "StateRecords"],
            swiftSettings: messagePathSettings),
        .target(
            name: "Serving",
            dependencies: [
                "Contracts", "Kafka", "Operations", "Retraining", "Worker", logging,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            resources: [
                "index.html", "style.css", "basics.js", "talk.js", "charts.js", "models.js", "model.js", "app.js",
            ].map { .embedInCode("Page/\($0)") },
            swiftSettings: settings),
        .target(name: "Demo", dependencies: ["Contracts", "Kafka", "Replay", "Retraining"], swiftSettings: settings),
        .executableTarget(
            name: "driftgate",
            dependencies: [
                "Contracts", "Demo", "Kafka", "Operations", "Replay", "Retraining", "Serving", "Worker", argumentParser,
                logging,
            ],
            swiftSettings: settings),

        .testTarget(name: "RingBuffersTests", dependencies: ["RingBuffers"], swiftSettings: settings),
        .testTarget(name: "StatisticsTests", dependencies: ["Statistics"], swiftSettings: settings),
        .testTarget(name: "RetrainingTests", dependencies: ["Retraining", "Statistics"], swiftSettings: settings),
        // Counts calls of malloc; replaces the C library's symbols, so only tests may depend on it.
        .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
        .testTarget(
            name: "ContractsTests", dependencies: ["CAllocationCounter", "Contracts", "Retraining"],
            swiftSettings: settings),
        // Brokers in memory and virtual time, with the transactions and the faults of real ones.
        .target(name: "SimulatedLog", dependencies: ["Kafka"], path: "Tests/SimulatedLog", swiftSettings: settings),
        .testTarget(name: "SimulatedLogTests", dependencies: ["Kafka", "SimulatedLog"], swiftSettings: settings),
        simulation,
        .testTarget(name: "KafkaTests", dependencies: ["Kafka"], swiftSettings: settings),
        .testTarget(name: "DemoTests", dependencies: ["Demo", "Replay", "Retraining"], swiftSettings: settings),
        .testTarget(
            name: "ReplayTests",
            dependencies: [
                "Contracts", "CZstd", "driftgate", "Operations", "Replay", "Retraining", "Worker", logging,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "WorkerTests",
            dependencies: [
                "Contracts", "driftgate", "Kafka", "Operations", "Replay", "Retraining", "StateRecords", "Worker",
                logging,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "OperationsTests", dependencies: ["Kafka", "Operations", "Retraining", "Worker"],
            swiftSettings: settings),
        .testTarget(
            name: "ServingTests", dependencies: ["Contracts", "Kafka", "Retraining", "Serving", "Worker", logging],
            swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
