import ArgumentParser
import Foundation
import Operations

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Show the configuration in force, and what a file may hold.",
        discussion: """
            Layers, later ones win: defaults, the file, the environment (DRIFTGATE_KAFKA__GROUP_ID), --set. A running \
            worker takes a changed file up on SIGHUP; `driftgate config diff` says beforehand what would happen.
            """,
        subcommands: [Show.self, Diff.self, Schema.self, Reference.self], defaultSubcommand: Show.self)

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "All settings as they are in force; secrets are never among them.",
            discussion: """
                driftgate config show --config driftgate.yaml --origin
                driftgate config show --set mode=observe --changed

                Exit status: 0 when the configuration is right, 2 when it is not.
                """)

        @OptionGroup var options: ConfigurationOptions

        @Flag(help: "Also where each setting comes from: default, file and line, variable or argument.")
        var origin = false

        @Flag(help: "Only settings that are not at their default.")
        var changed = false

        func run() throws {
            let configuration = try options.load()
            print("# hash \(configuration.fingerprint)")
            for setting in configuration.redacted where !changed || setting.origin != .default {
                print("\(setting.key): \(setting.value)" + (origin ? "    # \(setting.origin)" : ""))
            }
        }
    }

    struct Diff: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "diff", abstract: "What changes from one file to another, and whether that needs a restart.",
            discussion: "driftgate config diff running.yaml new.yaml\n\nExit status: 0, or 2 where a file is not right."
        )

        @Argument(help: "The file in force.") var old: String
        @Argument(help: "The file to come.") var new: String

        func run() throws {
            let (before, after) = (try load(old), try load(new))
            let changes = before.changes(to: after)
            guard !changes.isEmpty else { return print("no setting changes") }
            for change in changes {
                print(
                    "\(change.key): \(change.old) -> \(change.new)"
                        + (change.needsRestart
                            ? "    # needs a restart" : "    # from the next decision after SIGHUP on"))
            }
        }

        private func load(_ file: String) throws -> Configuration {
            do throws(ConfigurationErrors) { return try Configuration.load(file: file) } catch {
                FileHandle.standardError.write(Data("\(error)\n".utf8))
                throw ExitCode(2)
            }
        }
    }

    struct Schema: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "schema", abstract: "JSON Schema of the file, for editors and pipelines.",
            discussion: """
                driftgate config schema > driftgate.schema.json

                Editors with a YAML language server take it from a first line
                # yaml-language-server: $schema=driftgate.schema.json
                """)

        func run() { print(String(decoding: Configuration.jsonSchema, as: UTF8.self), terminator: "") }
    }

    struct Reference: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reference", abstract: "What every setting means, as Markdown.")

        func run() { print(Configuration.reference, terminator: "") }
    }
}
