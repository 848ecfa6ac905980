import Testing

@testable import driftgate

/// Several values of a setting are a sweep; a list that is one value is not.
struct SweepTests {
    @Test func severalValues() throws {
        let sweep = try Sweep(["a=1,2", "b=x", "c=5", "c=6"]) { !$0.contains(",") }
        #expect(sweep.common == ["b=x"])
        #expect(sweep.combinations == [["a=1", "c=5"], ["a=1", "c=6"], ["a=2", "c=5"], ["a=2", "c=6"]])
    }

    @Test func listsStayWhole() throws {
        let sweep = try Sweep(["hosts=a,b"]) { _ in true }
        #expect(sweep.common == ["hosts=a,b"] && sweep.combinations.isEmpty)
    }

    @Test func bounded() {
        let many = (0..<17).map { "\($0)" }.joined(separator: ",")
        #expect(throws: SweepError.self) { try Sweep(["a=\(many)", "b=\(many)"]) { !$0.contains(",") } }
    }
}
