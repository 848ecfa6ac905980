/// Why an input record was not taken. The raw values are part of the contract: they appear in dead letters and metrics.
public enum RejectReason: String, Sendable, CaseIterable {
    // The payload as a whole.
    /// A record without a value.
    case tombstone
    case emptyPayload = "empty_payload"
    case recordTooLarge = "record_too_large"
    /// First byte 0x00: Avro, Protobuf or JSON Schema as framed by a schema registry.
    case schemaRegistryFraming = "schema_registry_framing"
    case byteOrderMark = "byte_order_mark"
    /// Bytes that do not begin as JSON does.
    case notJSON = "not_json"
    case invalidUTF8 = "invalid_utf8"

    // JSON.
    case truncatedJSON = "truncated_json"
    case trailingBytes = "trailing_bytes"
    case malformedJSON = "malformed_json"
    /// `NaN`, `Infinity` and the like, which JSON does not have.
    case notANumber = "not_a_number"
    /// A number that no 64-bit integer or double can hold.
    case numberOutOfRange = "number_out_of_range"
    case nestedTooDeep = "nested_too_deep"
    /// An array, string, number, boolean or null where the record should be an object.
    case notAnObject = "not_an_object"

    // CloudEvents.
    case cloudEventVersion = "cloud_event_version"
    case cloudEventContentType = "cloud_event_content_type"
    case cloudEventData = "cloud_event_data"
    case cloudEventTime = "cloud_event_time"

    // Fields.
    case missingField = "missing_field"
    case wrongType = "wrong_type"
    case emptyName = "empty_name"
    case nameTooLong = "name_too_long"
    case controlCharacter = "control_character"
    /// Neither integer milliseconds nor RFC 3339.
    case invalidTime = "invalid_time"
    case timeOutOfRange = "time_out_of_range"
    case valueOutOfRange = "value_out_of_range"
    case noUsableValue = "no_usable_value"
    case tooManyValues = "too_many_values"
    /// Quantiles without `p50`.
    case missingMedian = "missing_median"
    case invalidQuantile = "invalid_quantile"
    case unknownStatus = "unknown_status"
    case unknownCommand = "unknown_command"

    // Well formed, and refused by the engine or by its shell.
    case futureTimestamp = "future_timestamp"
    case beyondHorizon = "beyond_horizon"
    case noModel = "no_model"
    case tooManyModels = "too_many_models"
    case tooManyEntities = "too_many_entities"
    case tooManyMetrics = "too_many_metrics"
    case tooManyVersions = "too_many_versions"
    /// On a partition that its model does not belong to.
    case misKeyed = "mis_keyed"
}
