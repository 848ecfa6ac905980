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
