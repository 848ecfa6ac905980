/// Mechanisms that a test takes out to see whether it would be noticed. No setting reaches them.
enum Sabotage: Hashable, CaseIterable {
    /// What waits for publication is dropped with an aborted transaction.
    case dropBatchAfterAbort
    case commitOffsetsBeforeOutputs
    /// The end of the state partition is asked of the read-committed consumer, which names the last stable offset.
    case endOffsetReadCommitted
    case endOffsetBeforeCommittedOffsets
    /// Offsets are sent in the name of a consumer that never joined.
    case groupMetadataOfNonMember
    /// A task runs although the state's position is not that of the committed offsets.
    case skipPositionCheck
    case keepStateAfterUnknownOutcome
    /// A producer that had to ask twice goes on under its epoch.
    case keepProducerAfterRepeat
    /// A restored task reads its inputs from the committed offsets, and not from the snapshot's cut.
    case skipRewind
    /// What was refused by the clock or by a limit is not remembered.
    case forgetSkips
    /// A partition that comes back goes on from memory, whatever happened meanwhile.
    case ignoreCommittedToken
    /// Dead letters are published again when their records are read again.
    case repeatDeadLetters
}
