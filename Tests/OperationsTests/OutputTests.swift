import Foundation
import Testing

@testable import Operations

/// Protects what is made from the table of settings, and the example that people start from.
@Suite struct OutputTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test func theExampleIsValid() throws {
        let configuration = try Configuration.load(file: Self.root.path + "/config/driftgate.yaml")
        for setting in Settings.source {
            #expect(configuration.origin(of: setting.key) != .default, "the example lacks \(setting.key)")
        }
        // It shows the defaults, so that commenting a line out changes nothing by surprise.
        let shown = Configuration().changes(to: configuration).map(\.key)
        #expect(
            shown == [
                "alert_email", "expected_ranges", "quiet.time_zone", "quiet.holidays", "quiet.quarter_ends",
            ])
    }

    /// What is commented out must be right as well, once the marks are taken away.
    @Test func theExamplesCommentsAreValid() throws {
        let text = try String(contentsOfFile: Self.root.path + "/config/driftgate.yaml", encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line -> Substring in
            guard let mark = line.firstIndex(of: "#"), line[..<mark].allSatisfy({ $0 == " " }) else { return line }
            let rest = line[line.index(after: mark)...]
            guard rest.hasPrefix(" "), rest.contains(":"), !rest.contains("driftgate:"), !rest.contains("=") else {
                return line
            }
            let content = rest.dropFirst()
            let isSetting = content.drop { $0 == " " || $0 == "-" }.prefix { $0 != ":" }.allSatisfy {
                $0.isLowercase || "_.-{".contains($0) || $0.isNumber
            }
            return isSetting ? line[..<mark] + content : line
        }
        let configuration = try Configuration.load(yaml: Array(lines.joined(separator: "\n").utf8), name: "f.yaml")
        #expect(configuration.kafka.sasl.mechanism == .scramSHA512)
        #expect(configuration.engine.models.count == 2)
        #expect(configuration.calendar.blackouts.count == 1)
        #expect(configuration.delivery.smtpURL != nil)
    }

    @Test func referenceNamesEverySetting() {
        let reference = Configuration.reference
        for setting in Settings.all {
            let name = setting.key.split(separator: ".").last!
            #expect(reference.contains("`\(name)`"), "\(setting.key)")
        }
    }

    @Test func schemaIsJSONAndKnowsEverySetting() throws {
        let schema = try #require(
            try JSONSerialization.jsonObject(with: Data(Configuration.jsonSchema)) as? [String: Any])
        for setting in Settings.all {
            var node: [String: Any]? = schema
            for name in setting.key.split(separator: ".") {
                let alternatives = node?["anyOf"] as? [[String: Any]]
                let object = alternatives?.last ?? node
                node = (object?["properties"] as? [String: Any])?[String(name)] as? [String: Any]
            }
            #expect(node?["description"] as? String == setting.summary, "\(setting.key)")
        }
    }

    @Test func fingerprintTellsValuesAndNotLayers() throws {
        let yaml = try Configuration.load(yaml: Array("kafka: {group_id: x}\n".utf8), name: "f.yaml")
        let argument = try Configuration.load(file: nil, overrides: ["kafka.group_id=x"])
        #expect(yaml.fingerprint == argument.fingerprint)
        #expect(yaml.fingerprint != Configuration().fingerprint)
        #expect(yaml.fingerprint.count == 16)
    }

    @Test func changesSayWhatNeedsARestart() throws {
        let old = Configuration()
        let new = try Configuration.load(file: nil, overrides: ["log_level=debug", "kafka.group_id=x"])
        #expect(
            old.changes(to: new) == [
                ConfigurationChange(key: "log_level", old: "\"info\"", new: "\"debug\"", needsRestart: false),
                ConfigurationChange(key: "kafka.group_id", old: "\"driftgate\"", new: "\"x\"", needsRestart: true),
            ])
    }

    @Test func effectiveSettingsTellTheirOrigin() throws {
        let configuration = try Configuration.load(file: nil, overrides: ["mode=observe"])
        let effective = configuration.effective
        #expect(effective.count == Settings.all.count)
        #expect(
            effective.first { $0.key == "mode" }
                == EffectiveSetting(key: "mode", value: "\"observe\"", origin: .argument("mode=observe")))
    }
}
