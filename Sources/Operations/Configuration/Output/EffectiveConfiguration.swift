/// One setting as it is in force.
public struct EffectiveSetting: Sendable, Equatable {
    public var key: String
    /// One line of JSON, which is YAML as well.
    public var value: String
    public var origin: Origin
}

/// One setting that a reload would change.
public struct ConfigurationChange: Sendable, Equatable {
    public var key: String
    /// One line of JSON each.
    public var old: String
    public var new: String
    /// The change takes effect at the next start only.
    public var needsRestart: Bool
}

extension Configuration {
    /// All settings in the order of the documentation. Secrets are not among them: only the names of their files are.
    public var effective: [EffectiveSetting] {
        Settings.all.map { setting in
            EffectiveSetting(key: setting.key, value: setting.read(self).json, origin: origin(of: setting.key))
        }
    }

    /// The same for people to see: addresses that are themselves secrets, as a chat's webhook is, end behind the host.
    public var redacted: [EffectiveSetting] {
        effective.map { setting in
            var setting = setting
            if setting.key == "alerts.webhook_url", let url = delivery.webhookURL {
                setting.value = JSONText.quoted(Self.withoutPath(url))
                if case .argument = setting.origin { setting.origin = .argument("alerts.webhook_url=…") }
            }
            return setting
        }
    }

    private static func withoutPath(_ url: String) -> String {
        guard let start = url.range(of: "://")?.upperBound, let slash = url[start...].firstIndex(of: "/"),
            url.index(after: slash) < url.endIndex
        else { return url }
        return url[...slash] + "…"
    }

    /// All settings as one JSON object, which is a configuration file as well: what ``load(yaml:name:environment:overrides:)``
    /// makes of it has the same fingerprint. Secrets are not in it.
    public var settingsText: String {
        var root = SettingNode()
        for setting in effective {
            root.insert(setting.value, at: setting.key.split(separator: ".").map(String.init)[...])
        }
        return root.json
    }

    /// 16 hexadecimal digits that are the same for the same effective settings, whatever layers they came from.
    ///
    /// FNV-1a, 64 bits (Fowler, Noll, Vo): tells configurations apart, and proves nothing against an adversary.
    public var fingerprint: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for setting in effective.sorted(by: { $0.key < $1.key }) {
            for byte in "\(setting.key)=\(setting.value)\n".utf8 {
                hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
            }
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// What a reload to `new` brings: its settings, but for those that need a restart, which stay.
    public func reloaded(as new: Configuration) -> Configuration {
        var next = new
        next.kafka = kafka
        next.topics = topics
        next.contracts = contracts
        next.http = http
        next.worker = worker
        next.worker.shutdownDeadline = new.worker.shutdownDeadline
        next.input = input
        next.input.onInvalid = new.input.onInvalid
        next.output = output
        next.output.decisions = new.output.decisions
        next.engine.limits = engine.limits
        next.engine.applicationID = engine.applicationID
        next.engine.defaultModel = engine.defaultModel
        next.engine.drift.windowSize = engine.drift.windowSize
        next.engine.drift.window = engine.drift.window
        next.engine.quiet.lookback = engine.quiet.lookback
        // The rest that needs a restart, setting by setting: scalars and lists.
        for setting in Settings.all where setting.needsRestart {
            let value = setting.read(self)
            if setting.read(next) != value { setting.write(value, &next) }
        }
        next.complete()
        return next
    }

    /// What a reload to `new` would change.
    public func changes(to new: Configuration) -> [ConfigurationChange] {
        Settings.all.compactMap { setting in
            let (before, after) = (setting.read(self), setting.read(new))
            guard before != after else { return nil }
            return ConfigurationChange(
                key: setting.key, old: before.json, new: after.json, needsRestart: setting.needsRestart)
        }
    }
}

/// A section of a configuration: sections and values by their last name.
private struct SettingNode {
    private enum Child {
        case section(SettingNode)
        case value(String)
    }

    private var children: [(name: String, child: Child)] = []

    mutating func insert(_ value: String, at path: ArraySlice<String>) {
        guard let name = path.first else { return }
        guard path.count > 1 else { return children.append((name, .value(value))) }
        if let index = children.firstIndex(where: { $0.name == name }), case .section(var node) = children[index].child
        {
            node.insert(value, at: path.dropFirst())
            children[index].child = .section(node)
        } else {
            var node = SettingNode()
            node.insert(value, at: path.dropFirst())
            children.append((name, .section(node)))
        }
    }

    var json: String {
        let members = children.map { name, child in
            let value =
                switch child {
                case .section(let node): node.json
                case .value(let json): json
                }
            return "\(JSONText.quoted(name)): \(value)"
        }
        return "{" + members.joined(separator: ", ") + "}"
    }
}
