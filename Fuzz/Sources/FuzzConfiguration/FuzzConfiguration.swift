import Operations

/// Any bytes are a configuration or errors in words.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do throws(ConfigurationErrors) {
        let text = Array(UnsafeBufferPointer(start: bytes, count: count))
        let configuration = try Configuration.load(yaml: text, name: "fuzz.yaml")
        precondition(!configuration.fingerprint.isEmpty, "no fingerprint")
    } catch {
        precondition(!error.problems.isEmpty && !error.description.isEmpty, "an error without words")
    }
    return 0
}
