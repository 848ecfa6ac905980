extension Configuration {
    /// The reference of all settings as Markdown, made from the table that the parser reads by.
    public static var reference: String {
        var text = introduction
        let defaults = Configuration()
        let topLevel = Settings.all.filter { !$0.key.contains(".") && $0.key != "models" }
        let sourceCount = Settings.source.count
        text +=
            "\n## The source design's settings\n\n" + table(Array(topLevel.prefix(sourceCount)), prefix: "", defaults)
        text += "\n## General\n\n" + table(Array(topLevel.dropFirst(sourceCount)), prefix: "", defaults)
        for (section, summary) in Settings.sections {
            let prefix = section + "."
            let settings = Settings.all.filter {
                $0.key.hasPrefix(prefix) && !$0.key.dropFirst(prefix.count).contains(".")
            }
            text += "\n## `\(section)`\n\n\(summary)\n\n" + table(settings, prefix: prefix, defaults)
        }
        text += "\n## `models`\n\n\(Settings.models.summary) As in `models: {tft-prod: {mode: observe}}`.\n\n"
        text += table(Settings.modelFields, prefix: "", nil)
        return text
    }

    private static let introduction = """
        # Configuration

        One YAML file. Keys are fixed, values are checked: an unknown key, a wrong type, a value out of range or an \
        impossible combination is an error with file, line, column and a hint, and all of them are reported at once. \
        `driftgate validate` does no more than that.

        Later layers win: defaults, the file, the environment, `--set`. In the environment two underscores stand for \
        a dot: `DRIFTGATE_KAFKA__BOOTSTRAP_SERVERS`. Lists and mappings are written as in YAML's flow style, lists of \
        texts also with commas: `DRIFTGATE_QUIET__HOLIDAYS=12-25,01-01`. An argument names the key as it stands here: \
        `--set kafka.group_id=blue`, `--set models.tft-prod.mode=observe`. Mappings are merged entry by entry, lists \
        are replaced. Nothing is interpolated. Secrets are read from files (`…_file`) only. `driftgate config show --origin` prints what is in force and where each \
        setting comes from.

        Durations are numbers in the unit that the key names. SIGHUP reads all layers again: where anything is wrong \
        nothing changes; otherwise settings take effect from the next decision on, but for those marked *R*, which need \
        a restart.

        """

    private static func table<Root>(_ settings: [Setting<Root>], prefix: String, _ defaults: Root?) -> String {
        var text = "| key | value | default | | meaning |\n|---|---|---|---|---|\n"
        for setting in settings {
            let name = setting.key.dropFirst(prefix.count)
            let value = defaults.map { setting.read($0) } ?? .null
            let shown = value == .null ? (defaults == nil ? "the general one" : "empty") : "`\(value.json)`"
            let cells = [
                "`\(name)`", setting.shape.documentation(unit: setting.unit), shown, setting.needsRestart ? "R" : "",
                setting.summary,
            ]
            text += "| " + cells.joined(separator: " | ") + " |\n"
        }
        return text
    }
}

extension ValueShape {
    fileprivate func documentation(unit: String?) -> String {
        switch self {
        case .choice(let names): names.map { "`\($0)`" }.joined(separator: ", ")
        case .map(.record(let fields), let keys):
            "mapping from \(keys.name) to " + fields.map { "`\($0.key)`" }.joined(separator: ", ")
        case .record(let fields): "mapping with " + fields.map { "`\($0.key)`" }.joined(separator: ", ")
        case .list(.record(let fields), _):
            "list of mappings with " + fields.map { "`\($0.key)`" }.joined(separator: ", ")
        case .number(let bounds): "a number" + (unit.map { " of \($0)" } ?? "") + bounds.description(prefix: " ")
        default: description
        }
    }
}
