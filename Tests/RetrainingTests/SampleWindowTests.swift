import Testing

@testable import Retraining

/// Windows bounded in samples, and windows that cover a span of time evenly at any rate.
@Suite struct SampleWindowTests {
    private func sample(_ at: Milliseconds) -> ActualSample {
        // An even spread of ranks: multiples of the golden ratio, modulo 2^64.
        ActualSample(at: at, value: Double(at), rank: UInt64(bitPattern: at) &* 0x9E37_79B9_7F4A_7C15)
    }

    @Test func `A window of a count holds the last so many`() {
        let window = SampleWindow<ActualSample>(capacity: 10, span: nil)
        var left: [Milliseconds] = []
        for at in Int64(0)..<25 { window.offer(sample(at), added: { _ in }, removed: { left.append($0.at) }) }
        #expect(window.count == 10)
        #expect(window.oldest == 15)
        #expect(window.newest == 24)
        #expect(left == Array(0..<15))
        window.expire(now: 1_000_000) { _ in }
        #expect(window.count == 10)
    }

    @Test func `A sample leaves when it is as old as the span`() {
        let window = SampleWindow<ActualSample>(capacity: 100, span: 50)
        for at in Int64(0)..<10 { window.offer(sample(at), added: { _ in }, removed: { _ in }) }
        window.expire(now: 49) { _ in }
        #expect(window.oldest == 0)
        window.expire(now: 50) { _ in }
        #expect(window.oldest == 1)
        window.expire(now: 100) { _ in }
        #expect(window.count == 0)
        #expect(window.oldest == nil)
    }

    @Test(arguments: [Int64(1), 7, 100, 5_000])
    func `A window of a span covers it evenly, at any rate`(rate: Int64) {
        // 1000 units of time with `rate` samples each, a span of 500 units, room for 200.
        let window = SampleWindow<ActualSample>(capacity: 200, span: 500 * 5_000)
        var counts = 0
        for index in 0..<1000 * rate {
            let at = index * 5_000 / rate
            window.offer(sample(at), added: { _ in counts += 1 }, removed: { _ in counts -= 1 })
            if index % rate == 0 { window.expire(now: at) { _ in counts -= 1 } }
        }
        #expect(counts == window.count)
        #expect(window.count <= 200)
        // Half full at least, and each fifth of the span holds its share of the samples, give or take half of it.
        #expect(window.count >= 60)
        let end = 1000 * Int64(5_000)
        var fifths = Array(repeating: 0, count: 5)
        window.ring.forEach { fifths[min(4, max(0, Int(($0.at - (end - 2_500_000)) / 500_000)))] += 1 }
        for fifth in fifths { #expect(abs(fifth - window.count / 5) <= window.count / 10 + 2, "\(fifths)") }
    }

    @Test func `What cannot be thinned gives way to what is newer`() {
        // One entity and time over and over has one rank.
        let window = SampleWindow<ActualSample>(capacity: 8, span: 1000)
        for value in 0..<100 {
            window.offer(ActualSample(at: 5, value: Double(value), rank: 0), added: { _ in }, removed: { _ in })
        }
        #expect(window.count == 8)
        #expect(window.ring[7].value == 99)
    }

    @Test func `Emptying tells what leaves`() {
        let window = SampleWindow<ActualSample>(capacity: 8, span: nil)
        for at in Int64(0)..<5 { window.offer(sample(at), added: { _ in }, removed: { _ in }) }
        var left = 0
        window.removeAll { _ in left += 1 }
        #expect(left == 5)
        #expect(window.count == 0)
    }
}
