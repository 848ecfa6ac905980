// swift-tools-version: 6.1
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

// Lowest first; nothing imports upwards.
let package = Package(
    name: "driftgate",
    targets: [
        .target(name: "RingBuffers", swiftSettings: settings),
        .target(name: "Statistics", swiftSettings: settings),
        .target(name: "Retraining", dependencies: ["RingBuffers", "Statistics"], swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
