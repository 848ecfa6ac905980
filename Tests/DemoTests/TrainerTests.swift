import Foundation
import Retraining
import Testing

@testable import Demo

private func request(id: String = "rt-a", model: String = "m", from: Int64 = 0, to: Int64 = 10) -> RequestEvent {
    RequestEvent(
        requestID: id, attempt: 1, model: model, reason: ReasonText(code: "drift_quiet", text: "drift"),
        priority: "normal", requestedAt: to, window: .init(from: from, to: to, offsets: [:], complete: false),
        keepShadowHours: 48)
}

/// A worker sends a request again when it hears nothing in time: it must never be trained twice.
@Suite struct RequestBookTests {
    @Test func aRequestSentTwiceIsTrainedOnce() {
        var book = RequestBook(models: ["m"])
        let accepted = TrainingStatusRecord(requestID: "rt-a", status: .accepted, at: 1)
        let done = TrainingStatusRecord(requestID: "rt-a", status: .succeeded, at: 3, modelVersion: "v2")
        var actions = [book.receive(request(), at: 1), book.receive(request(), at: 2)]
        book.said(done)
        actions += [book.receive(request(), at: 4), book.receive(request(id: "rt-b"), at: 5)]
        #expect(actions == [.train, .repeatLast(accepted), .repeatLast(done), .train])
    }

    @Test func whatCannotBeTrainedIsRejectedWithReasonsAndStaysRejected() {
        var book = RequestBook(models: ["m"])
        guard case .reject(let faults) = book.receive(request(model: "other", from: 5, to: 5), at: 1) else {
            Issue.record("an unknown model with an empty window was taken")
            return
        }
        #expect(faults.count == 2)
        guard case .repeatLast(let said) = book.receive(request(model: "other", from: 5, to: 5), at: 2) else {
            Issue.record("a rejected request was asked about again")
            return
        }
        #expect(said.status == .rejected && said.errors == faults)
    }
}

/// Which version serves when, and for how long the replaced one goes on.
@Suite struct DeploymentTests {
    private func model(_ name: String) -> StoredModel { StoredModel(version: name, column: 0) }

    @Test func theReplacedVersionIsAShadowForItsTime() {
        var deployment = Deployment(serving: model("a"), shadowDuration: 48)
        deployment.deploy(model("b"), from: 10)
        let changes = [deployment.advance(to: 9), deployment.advance(to: 10)]
        #expect(changes == [false, true])
        #expect(deployment.serving.version == "b" && deployment.shadow?.model.version == "a")
        deployment.advance(to: 57)
        #expect(deployment.shadow != nil)
        deployment.advance(to: 58)
        #expect(deployment.shadow == nil)
    }

    @Test func aRollBackPutsTheReplacedVersionBackWithoutAShadow() {
        var deployment = Deployment(serving: model("a"), shadowDuration: 48)
        deployment.deploy(model("b"), from: 10)
        deployment.advance(to: 10)
        let back = deployment.rollBack(askedAt: 19, from: 20)
        #expect(back == "a")
        deployment.advance(to: 20)
        #expect(deployment.serving.version == "a" && deployment.shadow == nil)
        let again = deployment.rollBack(askedAt: 20, from: 21)
        #expect(again == nil)
    }

    @Test func aShadowThatHasEndedCannotComeBack() {
        var deployment = Deployment(serving: model("a"), shadowDuration: 48)
        deployment.deploy(model("b"), from: 10)
        deployment.advance(to: 10)
        var late = deployment
        let back = [deployment.rollBack(askedAt: 57, from: 58), late.rollBack(askedAt: 58, from: 59)]
        #expect(back == ["a", nil])
        deployment.advance(to: 58)
        #expect(deployment.serving.version == "a")
    }

    @Test func deployingTheSameVersionAgainMakesNoShadowOfIt() {
        var deployment = Deployment(serving: model("a"), shadowDuration: 48)
        deployment.deploy(model("a"), from: 1)
        let changed = deployment.advance(to: 1)
        #expect(!changed)
        #expect(deployment.shadow == nil)
    }
}

/// The trainer reads what the worker really publishes.
@Suite struct EventTests {
    @Test func eventsOfOtherTypesAreLeftOut() throws {
        #expect(try WorkerEvent(Data(#"{"type":"something.else","data":{}}"#.utf8)) == nil)
    }

    @Test func aBrokenEventIsAnErrorAndNotSilence() {
        #expect(throws: (any Error).self) { try WorkerEvent(Data(#"{"type":"driftgate.request.v1","data":{}}"#.utf8)) }
    }
}
