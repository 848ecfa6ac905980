import Dispatch
import Foundation
import Retraining
import Synchronization
import Testing

@testable import Operations

/// Protects that telling people is never in the worker's way, and that nothing is told twice or lost silently.
@Suite struct CourierTests {
    /// Answers as it is told, and keeps what it got.
    private final class Channel: NotificationChannel {
        let name = "test"
        let batchMax: Int
        let taken = Mutex<[[Alert]]>([])
        /// What to do about the coming deliveries; afterwards all succeed.
        let failures: Mutex<[DeliveryFailure]>
        /// Every delivery waits for one signal, where there is one.
        let gate: DispatchSemaphore?

        init(batchMax: Int = 1, failures: [DeliveryFailure] = [], gate: DispatchSemaphore? = nil) {
            self.batchMax = batchMax
            self.failures = Mutex(failures)
            self.gate = gate
        }

        func deliver(_ alerts: [Alert]) throws(DeliveryFailure) {
            gate?.wait()
            let failure = failures.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            if let failure { throw failure }
            taken.withLock { $0.append(alerts) }
        }

        var texts: [String] { taken.withLock { $0.flatMap { $0 }.map(\.text) } }
    }

    private static func alert(
        _ text: String, kind: Alert.Kind = .slaBreach, model: String = "m", request: String? = nil, at: Int64 = 0
    ) -> Alert {
        Alert(kind: kind, severity: .warning, model: model, requestID: request, at: at, text: text)
    }

    private static let fast: Courier.Pace = {
        var pace = Courier.Pace()
        pace.perMinute = 1_000_000
        pace.firstPause = 0.001
        pace.longestPause = 0.002
        return pace
    }()

    @Test func failuresAreTriedAgainAndRefusalsAreNot() throws {
        let passing = DeliveryFailure(isFinal: false, message: "503")
        let lasting = DeliveryFailure(isFinal: true, message: "404")
        let channel = Channel(failures: [passing, passing, lasting])
        let said = Mutex<[String]>([])
        let courier = Courier(channel, Self.fast) { line in said.withLock { $0.append(line) } }
        courier.put(Self.alert("lost", model: "a"))
        courier.put(Self.alert("told", model: "b"))
        try Eventually.become { channel.texts == ["told"] }
        #expect(courier.close(within: 30))
        let counts = courier.counts
        #expect(counts.outcomes == [.failed: 1, .delivered: 1])
        #expect(counts.retries == 2)
        #expect(said.withLock { $0 }.contains { $0.contains("404") })
    }

    @Test func aDeadChannelHoldsNobodyUpAndItsQueueIsBounded() throws {
        let gate = DispatchSemaphore(value: 0)
        let channel = Channel(gate: gate)
        let notifications = Notifications { _ in }
        var pace = Self.fast
        pace.capacity = 100
        notifications.use([channel], pace)
        // The channel's thread waits inside of its first delivery for as long as this test likes.
        for index in 0..<1_000 { notifications.put(Self.alert("\(index)", model: "m\(index)", at: Int64(index))) }
        var text = PrometheusText()
        notifications.write(into: &text)
        let page = String(decoding: text.bytes, as: UTF8.self)
        let waiting = page.split(separator: "\n").first { $0.hasPrefix("driftgate_notification_queue_length") }
        #expect(waiting?.hasSuffix(" 100") == true)
        #expect(!page.contains(#"outcome="dropped"} 0"#))
        for _ in 0..<1_000 { gate.signal() }
        try Eventually.become { channel.texts.count >= 100 }
        notifications.close(within: 30)
        #expect(channel.texts.suffix(100) == (900..<1_000).map(String.init), "the newest are kept, in order")
    }

    @Test func aLaterWordAboutTheSameTakesThePlace() throws {
        let gate = DispatchSemaphore(value: 0)
        let channel = Channel(batchMax: 10, gate: gate)
        let courier = Courier(channel, Self.fast) { _ in }
        courier.put(Self.alert("first", model: "busy"))
        try Eventually.become { courier.counts.waiting == 0 }
        courier.put(Self.alert("breach"))
        courier.put(Self.alert("request 1", kind: .trainingTriggered, request: "rt-1"))
        courier.put(Self.alert("request 2", kind: .trainingTriggered, request: "rt-2"))
        courier.put(Self.alert("breach is over"))
        for _ in 0..<2 { gate.signal() }
        try Eventually.become { channel.texts.count == 4 }
        #expect(channel.texts == ["first", "breach is over", "request 1", "request 2"])
        #expect(channel.taken.withLock { $0.count } == 2, "what waits together goes together")
        #expect(courier.close(within: 30))
    }

    @Test func whatIsPublishedAgainIsToldOnce() throws {
        let channel = Channel()
        let notifications = Notifications { _ in }
        notifications.use([channel], Self.fast)
        for _ in 0..<3 { notifications.put(Self.alert("once", at: 7)) }
        notifications.put(Self.alert("another", at: 8))
        try Eventually.become { channel.texts.contains("another") }
        notifications.close(within: 30)
        #expect(channel.texts == ["once", "another"] || channel.texts == ["another"])
    }

    @Test func anotherConfigurationTakesOverAndTotalsGoOn() throws {
        let (first, second) = (Channel(), Channel())
        let notifications = Notifications { _ in }
        notifications.use([first], Self.fast)
        notifications.put(Self.alert("a", at: 1))
        func page() -> String {
            var text = PrometheusText()
            notifications.write(into: &text)
            return String(decoding: text.bytes, as: UTF8.self)
        }
        try Eventually.become { page().contains(#"outcome="delivered"} 1"#) }
        notifications.use([second], Self.fast)
        notifications.put(Self.alert("b", at: 2))
        try Eventually.become { second.texts == ["b"] }
        notifications.close(within: 30)
        #expect(page().contains(#"driftgate_notifications_total{channel="test",outcome="delivered"} 2"#))
        #expect(first.texts == ["a"])
    }
}
