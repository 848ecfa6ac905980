// swift-tools-version: 6.1
import PackageDescription

// What `scripts/bench` and `scripts/instruction-counts` build. A package of its own, so that nobody who only uses
// driftgate builds it.
let package = Package(
    name: "benchmarks",
    dependencies: [.package(name: "driftgate", path: "..")],
    targets: [
        .executableTarget(
            name: "microbenchmarks",
            dependencies: ["Contracts", "Retraining", "RingBuffers", "Statistics"].map {
                .product(name: $0, package: "driftgate")
            },
            path: "Sources/Microbenchmarks",
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
            ])
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
