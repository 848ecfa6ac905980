/// Why a replay cannot go on, in a sentence that a person can act on.
package struct ReplayError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
