/// The configuration file: its bytes, before they are YAML.
enum FileLayer {
    static let bytesMax = 1_048_576

    static func element(file path: String) throws(ConfigurationErrors) -> Element {
        let bytes: [UInt8]
        do throws(FileReadError) {
            bytes = try FileBytes.read(path, bytesMax: bytesMax)
        } catch {
            let hint =
                error.message == "does not exist" ? "check the path; it is relative to the working directory" : nil
            throw ConfigurationErrors([whole(path, "the file \(error.message)", hint: hint)])
        }
        return try element(bytes: bytes, path: path)
    }

    static func element(bytes: [UInt8], path: String) throws(ConfigurationErrors) -> Element {
        let text = try text(of: bytes, path: path)
        let tabs = tabProblems(text, path: path)
        guard tabs.isEmpty else { throw ConfigurationErrors(tabs) }
        guard let element = try YAMLText.element(text, path: path), !element.isNull else {
            throw ConfigurationErrors([
                whole(
                    path, bytes.isEmpty ? "the file is empty" : "the file holds no settings",
                    hint: "name at least kafka.bootstrap_servers; without a file the defaults hold")
            ])
        }
        guard case .mapping = element.content else {
            throw ConfigurationErrors([
                ConfigurationProblem(
                    element.origin, "the file must be a mapping of settings, not \(element.found)",
                    hint: "write \"key: value\" lines without a dash in front")
            ])
        }
        return element
    }

    private static func whole(_ path: String, _ message: String, hint: String? = nil) -> ConfigurationProblem {
        ConfigurationProblem(.file(path: path, line: 0, column: 0), message, hint: hint)
    }

    private static func text(of bytes: [UInt8], path: String) throws(ConfigurationErrors) -> String {
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw ConfigurationErrors([whole(path, "the file is UTF-16", hint: "save it as UTF-8")])
        }
        let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        guard let text = String(validating: body, as: UTF8.self) else {
            let valid = validPrefix(body)
            let before = String(decoding: body.prefix(valid), as: UTF8.self).unicodeScalars
            let line = before.count { $0 == "\n" } + 1
            let column = before.reversed().prefix { $0 != "\n" }.count + 1
            let byte = String(body[body.startIndex + valid], radix: 16, uppercase: true)
            throw ConfigurationErrors([
                ConfigurationProblem(
                    .file(path: path, line: line, column: column), "the byte 0x\(byte) is not UTF-8",
                    hint: "save the file as UTF-8")
            ])
        }
        return text
    }

    /// Bytes before the first that is not UTF-8.
    private static func validPrefix(_ bytes: ArraySlice<UInt8>) -> Int {
        var decoder = Unicode.UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        var valid = 0
        while true {
            switch decoder.parseScalar(from: &iterator) {
            case .valid(let scalar): valid += scalar.count
            case .emptyInput, .error: return valid
            }
        }
    }

    /// YAML allows no tab in an indentation, and the parser's own words for it help nobody.
    private static func tabProblems(_ text: String, path: String) -> [ConfigurationProblem] {
        var problems: [ConfigurationProblem] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let indentation = line.prefix { $0 == " " || $0 == "\t" }
            let rest = line[indentation.endIndex...]
            guard let tab = indentation.firstIndex(of: "\t"), !rest.isEmpty, rest.first != "#", rest != "\r" else {
                continue
            }
            let column = line.distance(from: line.startIndex, to: tab) + 1
            problems.append(
                ConfigurationProblem(
                    .file(path: path, line: index + 1, column: column), "the line is indented with a tab",
                    hint: "YAML allows only spaces: use two for each level"))
        }
        return problems
    }
}
