import Testing

@testable import driftgate

/// An argument that would do nothing, or something else than it says, is refused before anything is read.
struct ReplayArgumentTests {
    @Test(
        arguments: [
            "history --task 1", "history --model m", "history --at 2024-10-17", "history --cuts",
            "history --from-offset predictions:0=1", "history --at yesterday --model m", "history --decision m",
            "history --kafka", "", "--kafka --from-offset predictions:0=-1", "--kafka --to-offset predictions=1",
            "--kafka --cuts --from 2024-10-17", "--kafka --cuts --to-offset predictions:0=1",
            "--kafka --cuts --task -1", "history --from tomorrow", "history --schedule-hour 24",
            "history --decision m@1729180800000 --html x.html", "history --at 2024-10-17 --model m --decision m@1",
        ])
    func refused(_ line: String) {
        #expect(throws: (any Error).self) { try ReplayCommand.parse(line.split(separator: " ").map(String.init)) }
    }

    @Test(
        arguments: [
            "history", "--kafka", "--kafka --cuts --task 3", "history --at 2024-10-17T16:00:00Z --model tft",
            "history --decision a@b@1729180800000", "--kafka --from-offset p:0=1 --from-offset p:1=7 --to 2024-10-17",
        ])
    func taken(_ line: String) throws {
        _ = try ReplayCommand.parse(line.split(separator: " ").map(String.init))
    }

    @Test("a model's name may hold the sign before the time")
    func decisionNames() throws {
        let target = try #require(ReplayCommand.target("a@b@1729180800000"))
        #expect(target.model == "a@b" && target.at == 1_729_180_800_000)
    }
}
