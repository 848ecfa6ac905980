import Testing

@testable import Retraining

/// Names of requests: stable, unique, and fit for a Kubernetes resource.
@Suite struct RequestIDTests {
    private func hex(_ text: String) -> String {
        SHA256.digest(Array(text.utf8)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    @Test func `SHA-256 gives the digests of FIPS 180-4`() {
        #expect(hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        // The two-block message of the standard.
        #expect(
            hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        // 1000 times "a", by sha256sum.
        #expect(
            hex(String(repeating: "a", count: 1000))
                == "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3")
    }

    @Test func `An id is rt- and 26 characters of base32, a DNS-1123 label`() {
        for model in ["m", "", "Größe/ß", String(repeating: "x", count: 500), "a.b_C"] {
            let id = RequestID.make(applicationID: "driftgate", model: model, sequence: 7)
            #expect(id.utf8.count == 29)
            #expect(id.hasPrefix("rt-"))
            #expect(id.dropFirst(3).allSatisfy { "abcdefghijklmnopqrstuvwxyz234567".contains($0) })
        }
    }

    @Test func `An id is what hashlib and base64 of Python make of the same parts`() {
        // "9:driftgate1:m1:1": sha256, the first 16 bytes, base32 without padding, in lower case.
        #expect(RequestID.make(applicationID: "driftgate", model: "m", sequence: 1) == "rt-eay5htowh2zmsjg2k54vq5zeti")
        #expect(
            RequestID.make(applicationID: "driftgate", model: "tft-prod", sequence: 1_760_356_800_000)
                == "rt-ek4mxonuv5qdfy5ll7v2eggaoa")
    }

    @Test func `Parts do not run into each other`() {
        let ids = [
            RequestID.make(applicationID: "a", model: "b1", sequence: 1),
            RequestID.make(applicationID: "a", model: "b", sequence: 11),
            RequestID.make(applicationID: "ab", model: "1", sequence: 1),
            RequestID.make(applicationID: "a", model: "b", sequence: 1),
            RequestID.make(applicationID: "other", model: "b", sequence: 1),
        ]
        #expect(Set(ids).count == ids.count)
    }

    @Test func `Every request of a model has its own id, the same in every run`() {
        func ids() -> [String] {
            let harness = EngineHarness()
            harness.injectScore { _ in 0.11 }
            harness.injectLoad { _ in 0.1 }
            for day in 0..<3 {
                let boundary = monday + Int64(day) * .day + 12 * .hour
                harness.pulse(boundary)
                let id = harness.decide(boundary).requestID!
                harness.succeed(id, time: boundary + .minute)
            }
            return harness.effects.requests.map(\.requestID)
        }
        let first = ids()
        #expect(Set(first).count == 3)
        #expect(first == ids())
    }
}
