/// Makes a machine and its browsers trust a certificate authority, as far as that can be done from here.
struct Trust {
    private static let nickname = "Sluice development"
    let authority: String

    /// Does what it can, and says what it did and what is left to do.
    func install() -> String {
        var lines: [String] = []
        let system = trustInSystem()
        if let system { lines.append("The system trusts it now (\(system)).") }
        let browsers = trustInBrowsers()
        if !browsers.isEmpty {
            lines.append("Browsers trust it now after a restart (\(browsers.joined(separator: ", "))).")
        }
        if system == nil { lines += ["The system does not trust it yet:"] + systemSteps }
        if browsers.isEmpty { lines += ["Browsers on Linux keep stores of their own:"] + browserSteps }
        return lines.joined(separator: "\n")
    }

    private var systemSteps: [String] {
        [
            "  Debian, Ubuntu  sudo cp \(authority) /usr/local/share/ca-certificates/sluice-development.crt"
                + " && sudo update-ca-certificates",
            "  Fedora          sudo trust anchor \(authority)",
            "  macOS           sudo security add-trusted-cert -d -r trustRoot"
                + " -k /Library/Keychains/System.keychain \(authority)",
        ]
    }

    private var browserSteps: [String] {
        [
            "  Chromium        certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n \"\(Self.nickname)\" -i \(authority)"
                + "   (certutil is in Debian's libnss3-tools)",
            "  Firefox         Settings, Certificates, View Certificates, Authorities, Import: \(authority)",
        ]
    }

    private func trustInSystem() -> String? {
        guard Shell.isRoot else { return nil }
        let stores = [
            ("update-ca-certificates", "/usr/local/share/ca-certificates", [String]()),
            ("update-ca-trust", "/etc/pki/ca-trust/source/anchors", ["extract"]),
        ]
        for (name, folder, arguments) in stores {
            guard let program = Shell.program(name), Shell.fileExists(folder) else { continue }
            let copy = folder + "/sluice-development.crt"
            if Shell.copy(authority, to: copy), Shell.run(program, arguments) { return copy }
        }
        return nil
    }

    /// Chromium's store is made when it is not there; Firefox makes its profiles itself.
    private func trustInBrowsers() -> [String] {
        guard let certutil = Shell.program("certutil"), let home = Shell.environment["HOME"], !home.isEmpty else {
            return []
        }
        let shared = home + "/.pki/nssdb"
        if !Shell.fileExists(shared + "/cert9.db"), Shell.makeFolder(shared) {
            _ = Shell.run(certutil, ["-d", "sql:" + shared, "-N", "--empty-password"])
        }
        let profiles = [home + "/.mozilla/firefox", home + "/snap/firefox/common/.mozilla/firefox"]
            .flatMap { folder in Shell.contents(ofFolder: folder).map { folder + "/" + $0 } }
        return ([shared] + profiles).filter { Shell.fileExists($0 + "/cert9.db") }.filter { store in
            // An authority of that name that was made anew takes the place of the old one.
            _ = Shell.run(certutil, ["-d", "sql:" + store, "-D", "-n", Self.nickname])
            let add = ["-d", "sql:" + store, "-A", "-t", "C,,", "-n", Self.nickname, "-i", authority]
            return Shell.run(certutil, add)
        }
    }
}
