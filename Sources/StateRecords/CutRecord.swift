package import Retraining

/// One evaluation as it was: what it had seen, by which clocks, and what it asked for. With these facts and the inputs,
/// the engine comes to the same state again.
package struct CutRecord: Equatable {
    package struct Lane: Equatable {
        package var topic: String
        package var partition: Int32
        package var nextOffset: Int64

        package init(topic: String, partition: Int32, nextOffset: Int64) {
            self.topic = topic
            self.partition = partition
            self.nextOffset = nextOffset
        }
    }

    /// Offsets of one input that were refused for a reason that does not follow from the records alone: the wall clock,
    /// or a limit. They are skipped when the inputs are read again. Half-open, ascending.
    package struct Skipped: Equatable {
        package var topic: String
        package var partition: Int32
        package var ranges: [Range<Int64>]

        package init(topic: String, partition: Int32, ranges: [Range<Int64>]) {
            self.topic = topic
            self.partition = partition
            self.ranges = ranges
        }
    }

    package struct Request: Equatable {
        package var model: String
        package var reason: String
        package var requestID: String

        package init(model: String, reason: String, requestID: String) {
            self.model = model
            self.reason = reason
            self.requestID = requestID
        }
    }

    package var boundary: Milliseconds
    package var wallClock: Milliseconds
    package var streamTime: Milliseconds?
    package var lanes: [Lane]
    package var skipped: [Skipped]
    package var requests: [Request]

    package init(
        boundary: Milliseconds, wallClock: Milliseconds, streamTime: Milliseconds?, lanes: [Lane], skipped: [Skipped],
        requests: [Request]
    ) {
        self.boundary = boundary
        self.wallClock = wallClock
        self.streamTime = streamTime
        self.lanes = lanes
        self.skipped = skipped
        self.requests = requests
    }

    package func sealed() -> [UInt8] {
        var writer = BinaryWriter()
        writer.signed(boundary)
        writer.signed(wallClock)
        writer.optional(streamTime)
        writer.list(lanes) { writer, lane in
            writer.text(lane.topic)
            writer.signed(Int64(lane.partition))
            writer.signed(lane.nextOffset)
        }
        writer.skipped(skipped)
        writer.list(requests) { writer, request in
            writer.text(request.model)
            writer.text(request.reason)
            writer.text(request.requestID)
        }
        return StateFrame.seal(.cut, writer.bytes)
    }
}

extension CutRecord {
    package init(_ payload: ArraySlice<UInt8>) throws(StateFault) {
        var reader = BinaryReader(payload)
        boundary = try reader.signed()
        wallClock = try reader.signed()
        streamTime = try reader.optional()
        lanes = try reader.list { (reader) throws(StateFault) in
            Lane(topic: try reader.text(), partition: try reader.partition(), nextOffset: try reader.signed())
        }
        skipped = try reader.skipped()
        requests = try reader.list { (reader) throws(StateFault) in
            Request(model: try reader.text(), reason: try reader.text(), requestID: try reader.text())
        }
    }
}

extension BinaryWriter {
    package mutating func skipped(_ skipped: [CutRecord.Skipped]) {
        list(skipped) { writer, input in
            writer.text(input.topic)
            writer.signed(Int64(input.partition))
            var last: Int64 = 0
            writer.list(input.ranges) { writer, range in
                writer.signed(range.lowerBound - last)
                writer.signed(range.upperBound - range.lowerBound)
                last = range.upperBound
            }
        }
    }
}

extension BinaryReader {
    package mutating func skipped() throws(StateFault) -> [CutRecord.Skipped] {
        try list { (reader) throws(StateFault) in
            let topic = try reader.text()
            let partition = try reader.partition()
            var last: Int64 = 0
            let ranges = try reader.list { (reader) throws(StateFault) -> Range<Int64> in
                let (from, overflow) = last.addingReportingOverflow(try reader.signed())
                let (to, beyond) = from.addingReportingOverflow(try reader.signed())
                guard !overflow, !beyond, to >= from else { throw .damaged("holds a range that runs backwards") }
                last = to
                return from..<to
            }
            return CutRecord.Skipped(topic: topic, partition: partition, ranges: ranges)
        }
    }
}
