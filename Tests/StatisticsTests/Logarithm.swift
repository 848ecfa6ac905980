import Foundation

/// The natural logarithm, so that the tests themselves need not choose a C library.
func logarithm(_ value: Double) -> Double {
    log(value)
}
