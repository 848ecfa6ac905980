/// What a text must look like.
struct TextRule: Sendable {
    /// The end of the sentence "… must be".
    var name: String
    /// For JSON Schema; the check may be stricter.
    var pattern: String?
    /// Whether `yes` or `true` without quotes is a text like any other here.
    var allowsTruthWords = false
    var check: @Sendable (String) -> Complaint?

    /// What is wrong with a text. Without a message, "… must be \(name), not …" is said.
    struct Complaint {
        var message: String?
        var hint: String?
    }

    init(_ name: String, pattern: String? = nil, check: @escaping @Sendable (String) -> Complaint?) {
        self.name = name
        self.pattern = pattern
        self.check = check
    }

    /// A rule that needs no more than a yes or no.
    init(_ name: String, pattern: String? = nil, hint: String? = nil, accepts: @escaping @Sendable (String) -> Bool) {
        self.init(name, pattern: pattern) { accepts($0) ? nil : Complaint(hint: hint) }
    }

    /// One line of text. Blanks around it are never meant.
    static let name = TextRule("a text", pattern: #"^\S(.*\S)?$"#) { text in
        guard text.contains(where: \.isNewline) || text.first?.isWhitespace != false || text.last!.isWhitespace else {
            return nil
        }
        return Complaint(hint: "a single line without blanks around it")
    }

    static let path = TextRule("the path of a file or directory", pattern: "^.+$") { text in
        if text.contains("\0") { return Complaint(hint: "a path has no NUL byte") }
        return text.hasPrefix("~")
            ? Complaint(hint: "\"~\" stands for the home directory in a shell only: write the path in full") : nil
    }

    /// Kafka's own rule: `org.apache.kafka.common.internals.Topic`.
    static let topic = TextRule(
        "a topic name", pattern: "^[A-Za-z0-9._-]{1,249}$", hint: "1 to 249 of letters, digits, \".\", \"_\" and \"-\""
    ) { text in
        text != "." && text != ".." && (1...249).contains(text.utf8.count)
            && text.utf8.allSatisfy { isLetterOrDigit($0) || $0 == 0x2E || $0 == 0x5F || $0 == 0x2D }
    }

    static let hostAndPort = TextRule(
        "host:port", pattern: #"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$"#, hint: "such as kafka-1:9092"
    ) { HostAndPort($0) != nil }

    static let url = TextRule("an http or https address", pattern: "^https?://[^\\s]+$") { text in
        let isAddress = ["http://", "https://"].contains { text.hasPrefix($0) && text.count > $0.count }
        guard isAddress, !text.contains(where: \.isWhitespace) else {
            return Complaint(hint: "such as https://host/path")
        }
        return text.contains("@") ? Complaint(message: "holds a user name or password", hint: secretHint) : nil
    }

    static let smtpURL = TextRule("an smtp or smtps address", pattern: "^smtps?://[^\\s]+$") { text in
        guard let scheme = ["smtp://", "smtps://"].first(where: { text.hasPrefix($0) }) else {
            return Complaint(hint: "such as smtp://mail:587 or smtps://mail:465")
        }
        if text.contains("@") { return Complaint(message: "holds a user name or password", hint: secretHint) }
        return HostAndPort(String(text.dropFirst(scheme.count))) == nil
            ? Complaint(hint: "such as smtp://mail:587") : nil
    }

    private static let secretHint = "name the user in a setting of its own and keep secrets in files (…_file)"

    static let email = TextRule("an e-mail address", pattern: #"^[^\s@,]+@[^\s@,]+$"#) { text in
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let isAddress = parts.count == 2 && parts.allSatisfy { !$0.isEmpty }
        let isPlain = !text.contains { $0.isWhitespace || $0 == "," || $0 == "<" || $0 == ">" }
        return isAddress && isPlain ? nil : Complaint(hint: "one address, such as ml-ops@example.com")
    }

    /// RFC 6901.
    static let jsonPointer = TextRule(
        "a JSON pointer", pattern: "^(/([^/~]|~[01])*)*$", hint: "begins with \"/\", as in \"/payload/host\""
    ) { text in
        guard text.isEmpty || text.hasPrefix("/") else { return false }
        return text.split(separator: "~", omittingEmptySubsequences: false).dropFirst()
            .allSatisfy { $0.hasPrefix("0") || $0.hasPrefix("1") }
    }

    static let date = TextRule(
        "a date", pattern: "^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$", hint: "2025-12-25, or 12-25 for every year"
    ) { CalendarDay($0) != nil }

    static let localTime = TextRule(
        "a time", pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?$",
        hint: "2025-12-24T18:00 (local), 2025-12-24T18:00:00Z or 2025-12-24"
    ) { LocalTime($0) != nil }

    static let timeZone = TextRule("a time zone of the tz database") { text in
        if TimeZoneOffsets.isKnown(text) { return nil }
        let nearest = NearestName.of(text, among: TimeZoneOffsets.names)
        return Complaint(
            message: "names no known time zone: \(JSONText.quoted(text))",
            hint: nearest.map { "did you mean \($0)?" } ?? "a name such as Europe/Berlin or UTC")
    }

    static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}

/// `host:port`, with an IPv6 address in brackets.
struct HostAndPort: Equatable {
    var host: String
    var port: Int

    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        var host = String(text[..<colon])
        guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = Int(digits), (1...65_535).contains(port)
        else { return nil }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard host.contains(":"), host.utf8.allSatisfy({ TextRule.isLetterOrDigit($0) || $0 == 0x3A || $0 == 0x2E })
            else { return nil }
        } else {
            guard !host.isEmpty,
                host.utf8.allSatisfy({ TextRule.isLetterOrDigit($0) || $0 == 0x2E || $0 == 0x5F || $0 == 0x2D })
            else { return nil }
        }
        self.host = host
        self.port = port
    }

    var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}
