// swift-tools-version: 6.2
import PackageDescription

// Swift 6 language mode comes with the tools version. Warnings are errors where CI says so: a newer
// compiler's new warning must not break the build of somebody who embeds this package.
let strict: [SwiftSetting] =
    [
        .strictMemorySafety(),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ] + (Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)])

let package = Package(
    name: "sluice",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Sluice", targets: ["Sluice"]),
        .library(name: "SluiceSSE", targets: ["SluiceSSE"]),
        .executable(name: "sluice", targets: ["SluiceCLI"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
    ],
    targets: [
        // Doors to C.
        .target(name: "CLinux"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),

        // Leaves: none imports another.
        .target(name: "SluiceIO", dependencies: ["CLinux"], swiftSettings: strict),
        .target(name: "SluiceTLS", dependencies: ["COpenSSL"], swiftSettings: strict),
        .target(name: "SluiceHTTP", dependencies: ["CNghttp2", "CZlib"], swiftSettings: strict),
        .target(name: "SluiceSSE", swiftSettings: strict),

        // The core, and the shell around it.
        .target(
            name: "Sluice",
            dependencies: [
                "SluiceIO", "SluiceTLS", "SluiceHTTP", "SluiceSSE",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: strict),
        .target(
            name: "SluiceConfiguration",
            dependencies: ["Sluice", .product(name: "Yams", package: "Yams")],
            swiftSettings: strict),
        .executableTarget(
            name: "SluiceCLI",
            dependencies: [
                "SluiceConfiguration",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),

        // Tests mirror the sources.
        .target(name: "SluiceTestSupport", path: "Tests/SluiceTestSupport", swiftSettings: strict),
        .testTarget(name: "SluiceIOTests", dependencies: ["SluiceIO", "SluiceTestSupport"], swiftSettings: strict),
        .testTarget(name: "SluiceTLSTests", dependencies: ["SluiceTLS", "SluiceTestSupport"], swiftSettings: strict),
        .testTarget(name: "SluiceHTTPTests", dependencies: ["SluiceHTTP", "SluiceTestSupport"], swiftSettings: strict),
        .testTarget(name: "SluiceSSETests", dependencies: ["SluiceSSE", "SluiceTestSupport"], swiftSettings: strict),
        .testTarget(name: "SluiceTests", dependencies: ["Sluice", "SluiceTestSupport"], swiftSettings: strict),
        .testTarget(
            name: "SluiceConfigurationTests", dependencies: ["SluiceConfiguration", "SluiceTestSupport"],
            swiftSettings: strict),
        .testTarget(name: "SluiceCLITests", dependencies: ["SluiceCLI", "SluiceTestSupport"], swiftSettings: strict),
        .testTarget(name: "TidyTests", swiftSettings: strict),
    ]
)
