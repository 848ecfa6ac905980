package import Retraining

/// Strings as borrowed text, for the time of one call.
package enum Borrowed {
    package static func with<Result>(
        _ first: String, _ second: String, _ third: String,
        _ body: (BorrowedText, BorrowedText, BorrowedText) -> Result
    ) -> Result {
        var (first, second, third) = (first, second, third)
        return first.withUTF8 { a in
            second.withUTF8 { b in
                third.withUTF8 { c in
                    body(
                        BorrowedText(base: a.baseAddress, count: a.count),
                        BorrowedText(base: b.baseAddress, count: b.count),
                        BorrowedText(base: c.baseAddress, count: c.count))
                }
            }
        }
    }
}
