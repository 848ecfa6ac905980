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
                "expected_ranges", "quiet.time_zone", "quiet.holidays", "quiet.quarter_ends",
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
    }

    /// The files in the repository are the generated ones. After a change of the table:
    /// `DRIFTGATE_TEST_REGENERATE=1 swift test --filter generatedFilesAreCurrent`.
    @Test(arguments: ["docs/configuration.md", "config/driftgate.schema.json"])
    func generatedFilesAreCurrent(_ path: String) throws {
        let file = Self.root.appendingPathComponent(path)
        let text =
            path.hasSuffix(".md")
            ? Configuration.reference : String(decoding: Configuration.jsonSchema, as: UTF8.self)
        if ProcessInfo.processInfo.environment["DRIFTGATE_TEST_REGENERATE"] != nil {
            try Data(text.utf8).write(to: file)
        }
        #expect(try String(contentsOf: file, encoding: .utf8) == text, "\(path) is not what the table says")
    }

    /// Whatever a file holds, the answer is a configuration or at least one problem, never a crash.
    @Test func damagedExamplesAreRefusedOrTaken() throws {
        let example = try Array(Data(contentsOf: Self.root.appendingPathComponent("config/driftgate.yaml")))
        var state: UInt64 = 20_251_017
        /// Knuth's MMIX generator, the upper bits; the seed makes a failure repeatable.
        func random(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(limit))
        }
        let pieces =
            ["[", "]", "{", "}", ":", "\"", "-", "\t", "~", "null", "&a ", "*a", "99999999999999999999", "-1", "\n"]
            .map { Array($0.utf8) } + [[0xFF]]
        for _ in 0..<500 {
            var bytes = example
            for _ in 0...random(below: 3) {
                let start = random(below: bytes.count)
                let end = min(bytes.count, start + random(below: 12))
                bytes.replaceSubrange(start..<end, with: pieces[random(below: pieces.count)])
            }
            do throws(ConfigurationErrors) {
                _ = try Configuration.load(yaml: bytes, name: "f.yaml")
            } catch {
                #expect(!error.problems.isEmpty)
            }
        }
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
