import Kafka
import Testing

struct KafkaErrorTests {
    /// The order matters: a fatal error that also asks for an abort must not be retried or aborted.
    @Test func recoveryTakesTheGravestFlag() {
        func recovery(_ isRetriable: Bool, _ isFatal: Bool, _ requiresAbort: Bool) -> KafkaError.Recovery {
            KafkaError(
                code: .timedOut, operation: "x", isRetriable: isRetriable, isFatal: isFatal,
                requiresAbort: requiresAbort
            ).recovery
        }
        #expect(recovery(true, true, true) == .recreateClient)
        #expect(recovery(true, false, true) == .abortTransaction)
        #expect(recovery(true, false, false) == .retry)
        #expect(recovery(false, false, false) == .recreateClient)
    }

    /// Codes without flags from librdkafka get their class from here.
    @Test func codesHaveAClass() {
        for code: KafkaError.Code in [.timedOut, .transport, .unstableOffsetCommit, .coordinatorLoadInProgress] {
            #expect(KafkaError(code: code, operation: "x").recovery == .retry)
        }
        for code: KafkaError.Code in [.fatal, .fenced, .fencedInstanceID, .invalidProducerEpoch] {
            #expect(KafkaError(code: code, operation: "x").isFatal)
        }
        #expect(KafkaError(code: .messageTooLarge, operation: "x").recovery == .recreateClient)
    }

    /// Whoever reads the log must learn what failed, where, why and what to do; unknown codes must not crash.
    @Test func descriptionsTellWhatToDo() {
        let error = KafkaError(code: .unknownTopicOrPartition, operation: "consume", topic: "loads", partition: 3)
        #expect(
            error.description
                == "Kafka: cannot consume (topic loads, partition 3): Broker: Unknown topic or partition "
                + "[UNKNOWN_TOPIC_OR_PART]; create the topic, or correct its name in the configuration")
        let unknown = KafkaError(code: .init(rawValue: 31_000), operation: "consume")
        #expect(unknown.description.contains("31000"))
        #expect(KafkaError.Code.fencedInstanceID.name == "FENCED_INSTANCE_ID")
    }
}
