import Yams

/// What the YAML parser complains of, said so that a person can act on it.
enum YAMLComplaint {
    static func problem(of error: YamlError, text: String, path: String) -> ConfigurationProblem {
        func at(_ mark: Mark) -> Origin { .file(path: path, line: mark.line, column: mark.column) }
        switch error {
        case .duplicatedKeysInMapping(let names, let context):
            return duplicate(names, first: context.mark, text: text, path: path)
        case .composer(_, let problem, let mark, _) where problem.contains("another document"):
            return ConfigurationProblem(
                at(mark), "a second document begins here", hint: "keep one; \"---\" may stand at the top only")
        case .composer(_, _, let mark, _):
            return ConfigurationProblem(at(mark), "\"*\" stands for an anchor that is not there", hint: quote)
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            let (message, hint) = explanation(of: problem, context: context?.text ?? "")
            // A quote or bracket that is never closed is noticed at the end of the file: its start helps more.
            let isOpen = context.map { $0.text.contains("quoted scalar") || $0.text.contains("flow") } ?? false
            return ConfigurationProblem(at(isOpen ? context!.mark : mark), message, hint: hint)
        case .reader(let problem, _, _, _):
            return ConfigurationProblem(
                .file(path: path, line: 0, column: 0), "this is not YAML: \(problem)",
                hint: "remove control characters; save the file as plain text")
        default:
            return ConfigurationProblem(.file(path: path, line: 0, column: 0), "this is not YAML: \(error)")
        }
    }

    private static let quote = "put a text that begins with a special character in quotes"

    private static func explanation(of problem: String, context: String) -> (message: String, hint: String?) {
        switch (problem, context) {
        case (let problem, _) where problem.contains("mapping values are not allowed"):
            ("a colon is not expected here", "check the indentation; put a text that holds \": \" in quotes")
        case (let problem, _) where problem.contains("could not find expected ':'"):
            ("a line without \"key: value\"", "is the colon missing, or the blank behind it?")
        case (_, let context) where context.contains("quoted scalar"):
            ("a quote is never closed", "close it with the same kind of quote")
        case (_, let context) where context.contains("flow"):
            ("a bracket is never closed, or a comma is missing", nil)
        case (let problem, _) where problem.contains("cannot start any token"):
            ("a character that no value can begin with", quote)
        case (_, let context) where context.contains("block mapping") || context.contains("block collection"):
            (
                "this line does not fit the one above",
                "check the indentation: keys of one mapping begin in the same column"
            )
        default:
            ("this is not YAML: \(problem)" + (context.isEmpty ? "" : ", \(context)"), nil)
        }
    }

    /// The parser tells the first occurrence only; the second is looked for below it, in the same column.
    private static func duplicate(_ names: [String], first: Mark, text: String, path: String) -> ConfigurationProblem {
        let name = names.first ?? ""
        let others = names.dropFirst().map { ", \(JSONText.quoted($0))" }.joined()
        var line = first.line
        var column = first.column
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, content) in lines.enumerated().dropFirst(first.line) {
            let indentation = content.prefix { $0 == " " }.count
            let rest = content.dropFirst(indentation)
            guard !rest.isEmpty, rest.first != "#", rest.first != "\r" else { continue }
            guard indentation >= first.column - 1 else { break }
            let isKey = [name, "\"\(name)\"", "'\(name)'"].contains { rest.hasPrefix($0 + ":") }
            guard indentation == first.column - 1, isKey else { continue }
            (line, column) = (index + 1, indentation + 1)
            break
        }
        let again = line == first.line ? "" : "; the first is in line \(first.line)"
        return ConfigurationProblem(
            .file(path: path, line: line, column: column),
            "the key \(JSONText.quoted(name))\(others) appears more than once\(again)",
            hint: "keep one of them, or put their settings under one key")
    }
}
