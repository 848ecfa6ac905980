/// A piece of a layer with the place it came from: what YAML nodes, environment variables and arguments have in common.
struct Element {
    enum Content {
        case scalar(String, Style)
        case list([Element])
        case mapping([Entry])
    }

    /// How a scalar was written.
    enum Style {
        case plain
        case quoted
        /// In a variable or an argument, where nothing tells a number from a text.
        case given
    }

    struct Entry {
        var key: String
        var keyOrigin: Origin
        var value: Element
    }

    var content: Content
    var origin: Origin

    /// Nothing behind the colon, `~` or `null`.
    var isNull: Bool {
        switch content {
        case .scalar(let text, .plain): text.isEmpty || text == "~" || text.lowercased() == "null"
        case .scalar(let text, .given): text.isEmpty || text == "null"
        default: false
        }
    }

    /// `""`: empties a setting that may be empty, as nothing behind the colon does.
    var isEmptyText: Bool {
        guard case .scalar(let text, .quoted) = content else { return false }
        return text.isEmpty
    }

    /// The end of the sentence "… must be a number, not".
    var found: String {
        switch content {
        case .list: "a list"
        case .mapping: "a mapping"
        case .scalar where isNull: "empty"
        case .scalar(let text, .quoted): "the text \(JSONText.quoted(text))"
        case .scalar(let text, _): JSONText.quoted(text)
        }
    }

    /// The same content, said to come from `origin`.
    func relocated(to origin: Origin) -> Element {
        var copy = self
        copy.origin = origin
        switch content {
        case .scalar: break
        case .list(let items): copy.content = .list(items.map { $0.relocated(to: origin) })
        case .mapping(let entries):
            copy.content = .mapping(
                entries.map { Entry(key: $0.key, keyOrigin: origin, value: $0.value.relocated(to: origin)) })
        }
        return copy
    }
}
