import Glibc
import Worker

/// Tells systemd how the service is (sd_notify(3)): that it is up, what it does, and that its thread still runs.
///
/// Does nothing where nobody asked to be told. On the worker's thread; a datagram to a local socket never waits.
final class ServiceManager {
    private let descriptor: Int32
    private var address: sockaddr_un
    private let addressLength: socklen_t
    private var lastPhase: WorkerObservation.Phase?
    private let wantsWatchdog: Bool

    /// - Returns: nil without a service manager.
    init?(environment: [String: String]) {
        guard let path = environment["NOTIFY_SOCKET"], path.hasPrefix("/") || path.hasPrefix("@") else { return nil }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard bytes.count < capacity else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { room in
            room.copyBytes(from: bytes)
            // A name in the abstract namespace begins with a zero byte.
            if bytes[0] == UInt8(ascii: "@") { room[0] = 0 }
        }
        self.address = address
        addressLength = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        wantsWatchdog = environment["WATCHDOG_USEC"].flatMap { UInt64($0) }.map { $0 > 0 } ?? false
    }

    deinit { close(descriptor) }

    /// The first word says that the service is up; each one after it that its thread runs.
    func note(_ observation: WorkerObservation) {
        if lastPhase == nil { send("READY=1") }
        if lastPhase != observation.phase {
            lastPhase = observation.phase
            send("STATUS=\(observation.phase.rawValue)")
        }
        if wantsWatchdog { send("WATCHDOG=1") }
    }

    func stopping() { send("STOPPING=1") }

    private func send(_ text: String) {
        var address = address
        let bytes = Array(text.utf8)
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, addressLength)
            }
        }
    }
}
