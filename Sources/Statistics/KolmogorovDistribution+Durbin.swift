import Glibc

extension KolmogorovDistribution {
    /// P(D < x), exact, by Durbin's matrix.
    ///
    /// Durbin (1968); Marsaglia, Tsang and Wang (2003), "Evaluating Kolmogorov's Distribution", Journal of Statistical
    /// Software 8 (18), whose notation this keeps: x = (k − h)/n with k whole and 0 ≤ h < 1, H a matrix of size
    /// 2k − 1, and the probability n!/n^n times the middle element of H^n. Only row k of the power is needed, so the
    /// row is multiplied by the squares of H as n's binary digits ask for; O(k³ log n).
    static func durbin(_ x: Double, sampleSize: Int) -> Double {
        let t = Double(sampleSize) * x
        let k = Int(t.rounded(.up))
        let size = 2 * k - 1
        var matrix = durbinMatrix(size: size, h: Double(k) - t)
        var matrixExponent = 0
        var row = [Double](repeating: 0, count: size)
        row[k - 1] = 1
        var exponent = 0
        var digits = sampleSize
        while true {
            if digits & 1 == 1 {
                row = product(row: row, matrix, size: size)
                exponent += matrixExponent
                exponent += rescale(&row, by: row[k - 1])
            }
            digits >>= 1
            if digits == 0 { break }
            matrix = square(matrix, size: size)
            matrixExponent *= 2
            matrixExponent += rescale(&matrix, by: matrix[(k - 1) * size + k - 1])
        }
        var probability = row[k - 1]
        for i in 1...sampleSize {
            probability *= Double(i) / Double(sampleSize)
            if probability < 0x1p-500 {
                probability *= 0x1p500
                exponent -= 500
            }
        }
        return min(max(scalbn(probability, Int32(exponent)), 0), 1)
    }

    private static func durbinMatrix(size: Int, h: Double) -> [Double] {
        var inverseFactorials = [1.0]
        for i in 1...(size + 1) { inverseFactorials.append(inverseFactorials[i - 1] / Double(i)) }
        var matrix = [Double](repeating: 0, count: size * size)
        for row in 0..<size {
            for column in 1..<max(size, 1) where row - column + 1 >= 0 {
                matrix[row * size + column] = inverseFactorials[row - column + 1]
            }
        }
        var power = 1.0
        for i in 0..<size {
            power *= h
            let edge = (1 - power) * inverseFactorials[i + 1]
            matrix[i * size] = edge
            matrix[(size - 1) * size + size - 1 - i] = edge
        }
        // The corner lies on both edges: (1 − 2 h^size + max(0, 2h − 1)^size) / size!
        let corner = 1 - 2 * power + pow(max(0, 2 * h - 1), Double(size))
        matrix[(size - 1) * size] = corner * inverseFactorials[size]
        return matrix
    }

    private static func square(_ matrix: [Double], size: Int) -> [Double] {
        [Double](unsafeUninitializedCapacity: size * size) { result, initializedCount in
            result.initialize(repeating: 0)
            matrix.withUnsafeBufferPointer { matrix in
                for row in 0..<size {
                    for inner in 0..<size {
                        let factor = matrix[row * size + inner]
                        if factor == 0 { continue }
                        for column in 0..<size {
                            result[row * size + column] += factor * matrix[inner * size + column]
                        }
                    }
                }
            }
            initializedCount = size * size
        }
    }

    private static func product(row: [Double], _ matrix: [Double], size: Int) -> [Double] {
        var result = [Double](repeating: 0, count: size)
        for inner in 0..<size {
            for column in 0..<size {
                result[column] += row[inner] * matrix[inner * size + column]
            }
        }
        return result
    }

    /// Divides by a power of two near `reference`, once that is far from 1, and returns the exponent taken out.
    private static func rescale(_ values: inout [Double], by reference: Double) -> Int {
        guard reference > 0x1p128 || (reference > 0 && reference < 0x1p-128) else { return 0 }
        let exponent = Int(reference.exponent)
        for index in values.indices { values[index] = scalbn(values[index], Int32(-exponent)) }
        return exponent
    }
}
