import Operations

/// What `--set` asks of a replay: one configuration, or every combination of several values.
struct Sweep {
    /// Every combination, as arguments of `--set`; empty without a sweep.
    let combinations: [[String]]
    /// What holds for all of them.
    let common: [String]
    private static let combinationsMax = 256

    /// A setting is swept where it is given more than once, or its value is a list of values and not a list itself.
    ///
    /// - Parameter isValid: whether an argument is right as it stands.
    init(_ overrides: [String], isValid: (String) -> Bool) throws {
        var order: [String] = []
        var values: [String: [String]] = [:]
        for argument in overrides {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else {
                order.append(argument)
                values[argument] = []
                continue
            }
            if values[parts[0]] == nil { order.append(parts[0]) }
            let isList = parts[1].contains(",") && !isValid(argument)
            values[parts[0], default: []] += isList ? parts[1].split(separator: ",").map(String.init) : [parts[1]]
        }
        var common: [String] = []
        var grid: [[String]] = [[]]
        for key in order {
            let found = values[key]!
            // Without a value it is left to the configuration to say what is wrong.
            if found.isEmpty { common.append(key) } else if found.count == 1 { common.append("\(key)=\(found[0])") }
            guard found.count > 1 else { continue }
            grid = grid.flatMap { point in found.map { point + ["\(key)=\($0)"] } }
            guard grid.count <= Self.combinationsMax else {
                throw SweepError(description: "more than \(Self.combinationsMax) combinations of --set")
            }
        }
        self.common = common
        combinations = grid.count > 1 ? grid : []
    }
}

struct SweepError: Error, CustomStringConvertible { let description: String }
