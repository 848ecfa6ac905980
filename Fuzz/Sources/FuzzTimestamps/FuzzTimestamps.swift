import Contracts

/// What is parsed can be written, and reads back as the same time.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let time = Timestamp.parse(UnsafeBufferPointer(start: bytes, count: count)) else { return 0 }
    guard let text = Timestamp.text(time) else { return 0 }
    precondition(Timestamp.parse(text) == time, "\(time) became \(text)")
    return 0
}
