// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "FanIn",
    dependencies: [.package(name: "sluice", path: "../..")],
    targets: [.executableTarget(name: "FanIn", dependencies: [.product(name: "Sluice", package: "sluice")])]
)
