/// Settings whose part of driftgate is not built yet. They are checked, so that a file can be ready for it; whoever sets
/// one is told that it does nothing.
extension Settings {
    private static let withoutEffect: [String] = [
        "http.tls_", "alerts.webhook_", "alerts.alertmanager_", "alerts.smtp_", "alert_email",
    ]

    static func hasEffect(_ key: String) -> Bool {
        !withoutEffect.contains { $0 == key || ($0.last == "." || $0.last == "_") && key.hasPrefix($0) }
    }
}

extension Configuration {
    /// What was set and does nothing yet, with where: one line each, for a person.
    public var settingsWithoutEffect: [String] {
        origins.filter { !Settings.hasEffect($0.key) && $0.value != .default }
            .map { "\($0.value): \($0.key) has no effect yet" }.sorted()
    }
}
