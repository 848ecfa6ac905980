// swift-tools-version: 6.1
import PackageDescription

// Targets for libFuzzer; `Fuzz/run` builds and runs them. Each is a program whose `main` libFuzzer brings.
let fuzzing: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .unsafeFlags(["-parse-as-library"]),
]

let package = Package(
    name: "fuzz",
    dependencies: [.package(name: "driftgate", path: "..")],
    targets: [
        .executableTarget(
            name: "FuzzRecords", dependencies: [.product(name: "Contracts", package: "driftgate")],
            swiftSettings: fuzzing),
        .executableTarget(
            name: "FuzzTimestamps", dependencies: [.product(name: "Contracts", package: "driftgate")],
            swiftSettings: fuzzing),
        .executableTarget(
            name: "FuzzConfiguration", dependencies: [.product(name: "Operations", package: "driftgate")],
            swiftSettings: fuzzing),
        .executableTarget(
            name: "FuzzState",
            dependencies: [
                .product(name: "Contracts", package: "driftgate"),
                .product(name: "Retraining", package: "driftgate"), .product(name: "Worker", package: "driftgate"),
            ], swiftSettings: fuzzing),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
