import Glibc
import Testing

@testable import Operations

/// Protects what is said of files that are no YAML, or no file at all.
@Suite struct BrokenYAMLTests {
    @Test(arguments: [
        (
            "kafka:\n\tgroup_id: x\n",
            """
            f.yaml:2:1: error: the line is indented with a tab
                hint: YAML allows only spaces: use two for each level
            """
        ),
        (
            "mode: act\nscale: single\nmode: observe\n",
            """
            f.yaml:3:1: error: the key "mode" appears more than once; the first is in line 1
                hint: keep one of them, or put their settings under one key
            """
        ),
        (
            "kafka:\n  group_id: a\n  # group_id: z\n  client_id: c\n  'group_id': b\n",
            """
            f.yaml:5:3: error: the key "group_id" appears more than once; the first is in line 2
                hint: keep one of them, or put their settings under one key
            """
        ),
        (
            "",
            """
            f.yaml: error: the file is empty
                hint: name at least kafka.bootstrap_servers; without a file the defaults hold
            """
        ),
        (
            "# nothing\n",
            """
            f.yaml: error: the file holds no settings
                hint: name at least kafka.bootstrap_servers; without a file the defaults hold
            """
        ),
        (
            "- mode: act\n",
            """
            f.yaml:1:1: error: the file must be a mapping of settings, not a list
                hint: write "key: value" lines without a dash in front
            """
        ),
        (
            "mode\n",
            """
            f.yaml:1:1: error: the file must be a mapping of settings, not "mode"
                hint: write "key: value" lines without a dash in front
            """
        ),
        (
            "mode: act\n---\nmode: observe\n",
            """
            f.yaml:2:1: error: a second document begins here
                hint: keep one; "---" may stand at the top only
            """
        ),
        (
            "mode: \"act\nscale: single\n",
            """
            f.yaml:1:7: error: a quote is never closed
                hint: close it with the same kind of quote
            """
        ),
        (
            "kafka: {group_id: a\nmode: act\n",
            "f.yaml:1:8: error: a bracket is never closed, or a comma is missing"
        ),
        (
            "kafka:\n  group_id: a\n client_id: b\n",
            """
            f.yaml:3:2: error: this line does not fit the one above
                hint: check the indentation: keys of one mapping begin in the same column
            """
        ),
        (
            "mode: act\nscale\n",
            """
            f.yaml:3:1: error: a line without "key: value"
                hint: is the colon missing, or the blank behind it?
            """
        ),
        (
            "application_id: a: b\n",
            """
            f.yaml:1:18: error: a colon is not expected here
                hint: check the indentation; put a text that holds ": " in quotes
            """
        ),
        (
            "application_id: @x\n",
            """
            f.yaml:1:17: error: a character that no value can begin with
                hint: put a text that begins with a special character in quotes
            """
        ),
        (
            "application_id: *x\n",
            """
            f.yaml:1:17: error: "*" stands for an anchor that is not there
                hint: put a text that begins with a special character in quotes
            """
        ),
    ])
    func text(_ yaml: String, _ expected: String) {
        expectProblems([expected]) { () throws(ConfigurationErrors) in
            try Configuration.load(yaml: Array(yaml.utf8), name: "f.yaml")
        }
    }

    @Test(arguments: [
        (
            Array("mode: act\nscale: caf".utf8) + [0xE9, 0x0A],
            "f.yaml:2:11: error: the byte 0xE9 is not UTF-8\n    hint: save the file as UTF-8"
        ),
        (
            [0xFF, 0xFE, 0x6D, 0x00], "f.yaml: error: the file is UTF-16\n    hint: save it as UTF-8"
        ),
    ])
    func bytes(_ bytes: [UInt8], _ expected: String) {
        expectProblems([expected]) { () throws(ConfigurationErrors) in
            try Configuration.load(yaml: bytes, name: "f.yaml")
        }
    }

    /// Notepad's mark at the start of a file is no mistake of its writer.
    @Test func byteOrderMarkIsPassedOver() throws {
        let configuration = try Configuration.load(
            yaml: [0xEF, 0xBB, 0xBF] + Array("mode: observe\r\nscale: single\r\n".utf8), name: "f.yaml")
        #expect(configuration.engine.mode == .observe)
    }

    @Test func missingFile() {
        expectProblems([
            """
            missing/f.yaml: error: the file does not exist
                hint: check the path; it is relative to the working directory
            """
        ]) { () throws(ConfigurationErrors) in try Configuration.load(file: "missing/f.yaml") }
    }

    @Test func directoryInsteadOfFile() {
        expectProblems(["/tmp: error: the file is a directory"]) { () throws(ConfigurationErrors) in
            try Configuration.load(file: "/tmp")
        }
    }
}
