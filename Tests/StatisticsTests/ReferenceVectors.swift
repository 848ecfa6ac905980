import Foundation
import Testing

/// scipy's results for 202 pairs of samples, read from a directory outside of the repository.
enum ReferenceVectors {
    struct File: Decodable {
        let cases: [Case]
    }

    struct Case: Decodable, CustomTestStringConvertible {
        let name: String
        let a: Recipe
        let b: Recipe
        let n: Int
        let m: Int
        let auto: Result
        let exact: Result?
        let asymp: Result
        let check: Check

        var testDescription: String { name }
    }

    struct Result: Decodable {
        let statistic: Double
        /// nil where scipy answers NaN.
        let pvalue: Double?
        let warning: String?
    }

    struct Check: Decodable {
        let a_first: Double
        let a_last: Double
        let a_sum: Double
        let b_first: Double
        let b_last: Double
        let b_sum: Double
    }

    /// How a sample is made: by its values, or by a generator, a seed and a scale.
    struct Recipe: Decodable {
        let kind: String
        let values: [Double]?
        let seed: UInt64?
        let n: Int?
        let k: Double?
        let scale: Double?
        let shift: Double?
        let v: Double?
        let start: Double?
        let step: Double?

        func sample() throws -> [Double] {
            if kind == "values", let values { return values }
            guard let n else { throw RecipeError.incomplete(kind) }
            var random = SplitMix64(seed: seed ?? 0)
            return try (0..<n).map { index in
                switch (kind, shift ?? 0, scale ?? 1) {
                case ("uniform", let shift, let scale): shift + scale * random.uniform()
                case ("quant", let shift, _): shift + (try required(k) * random.uniform()).rounded(.down)
                case ("sum12", let shift, let scale): shift + scale * random.normal()
                case ("const", _, _): try required(v)
                case ("arange", _, _): try required(start) + required(step) * Double(index)
                default: throw RecipeError.unknown(kind)
                }
            }
        }

        private func required(_ value: Double?) throws -> Double {
            guard let value else { throw RecipeError.incomplete(kind) }
            return value
        }
    }

    enum RecipeError: Error {
        case unknown(String)
        case incomplete(String)
    }

    /// `$DRIFTGATE_SHARED/vectors/ks_vectors.json`, or the same in a directory `shared` beside the package.
    static let path: String = {
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let shared = ProcessInfo.processInfo.environment["DRIFTGATE_SHARED"].map { URL(filePath: $0) }
        return (shared ?? package.deletingLastPathComponent().appending(path: "shared"))
            .appending(path: "vectors/ks_vectors.json").path()
    }()

    /// Whether the file is there. If not, says so, once: a silent skip would pass for a success.
    static let isPresent: Bool = {
        let isPresent = FileManager.default.isReadableFile(atPath: path)
        if !isPresent {
            print(
                """
                SKIPPED: the scipy reference vectors are not at \(path). The Kolmogorov–Smirnov tests against scipy do \
                not run; set DRIFTGATE_SHARED to the directory that holds vectors/ks_vectors.json.
                """)
        }
        return isPresent
    }()

    static func cases() throws -> [Case] {
        try JSONDecoder().decode(File.self, from: Data(contentsOf: URL(filePath: path))).cases
    }
}
