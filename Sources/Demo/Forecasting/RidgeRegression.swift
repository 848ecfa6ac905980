/// Weighted least squares with a penalty on the weights, by normal equations and Cholesky's factorisation.
///
/// Minimises Σ w·(y − x·β)² + λ·|β|²; Hoerl and Kennard, "Ridge regression", Technometrics 12, 1970.
struct RidgeRegression {
    let width: Int
    private var gram: [Double]
    private var moments: [Double]
    private(set) var rows = 0

    init(width: Int) {
        self.width = width
        gram = Array(repeating: 0, count: width * width)
        moments = Array(repeating: 0, count: width)
    }

    mutating func add(features: [Double], target: Double, weight: Double) {
        rows += 1
        for row in 0..<width {
            let scaled = weight * features[row]
            moments[row] += scaled * target
            for column in 0...row {
                gram[row * width + column] += scaled * features[column]
            }
        }
    }

    /// The weights β, or nil where the equations have no unique solution (never for a positive penalty).
    func solution(penalty: Double) -> [Double]? {
        var factor = gram
        for row in 0..<width {
            for column in 0...row {
                var sum = gram[row * width + column] + (row == column ? penalty : 0)
                for inner in 0..<column {
                    sum -= factor[row * width + inner] * factor[column * width + inner]
                }
                if row == column {
                    guard sum > 0 else { return nil }
                    factor[row * width + row] = sum.squareRoot()
                } else {
                    factor[row * width + column] = sum / factor[column * width + column]
                }
            }
        }
        var solution = moments
        for row in 0..<width {
            for inner in 0..<row { solution[row] -= factor[row * width + inner] * solution[inner] }
            solution[row] /= factor[row * width + row]
        }
        for row in stride(from: width - 1, through: 0, by: -1) {
            for inner in (row + 1)..<max(width, row + 1) {
                solution[row] -= factor[inner * width + row] * solution[inner]
            }
            solution[row] /= factor[row * width + row]
        }
        return solution
    }
}
