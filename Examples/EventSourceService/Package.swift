// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "EventSourceService",
    dependencies: [.package(name: "sluice", path: "../..")],
    targets: [
        .executableTarget(name: "EventSourceService", dependencies: [.product(name: "Sluice", package: "sluice")])
    ]
)
