import Foundation
import Retraining

/// What the worker needs of this machine: files, disk and clock.
public enum MachineCheck {
    public static func findings(_ configuration: Configuration) -> [DoctorFinding] {
        secrets(configuration) + disk(configuration) + clock()
    }

    // MARK: Secrets

    static func secrets(_ configuration: Configuration) -> [DoctorFinding] {
        let (kafka, delivery) = (configuration.kafka, configuration.delivery)
        let files: [(key: String, file: String?)] = [
            ("kafka.sasl.password_file", kafka.sasl.passwordFile),
            ("kafka.tls.key_password_file", kafka.tls.keyPasswordFile),
            ("http.token_file", configuration.http.tokenFile),
            ("alerts.webhook_token_file", delivery.webhookTokenFile),
            ("alerts.webhook_secret_file", delivery.webhookSecretFile),
            ("alerts.smtp_password_file", delivery.smtpPasswordFile),
        ]
        return files.flatMap { key, file in file.map { secret(key, $0) } ?? [] }
    }

    private static func secret(_ key: String, _ file: String) -> [DoctorFinding] {
        do throws(SecretError) { _ = try Secret.read(file: file) } catch {
            return [
                DoctorFinding(.error, key, "\(file) \(error.message)", remedy: "set \(key) to a file with the secret")
            ]
        }
        var status = stat()
        if stat(file, &status) == 0, status.st_mode & 0o044 != 0 {
            return [
                DoctorFinding(
                    .warning, key, "\(file) may be read by others than its owner",
                    remedy: "chmod o-r,g-r '\(file)'")
            ]
        }
        return [DoctorFinding(.good, key, "readable")]
    }

    // MARK: Disk

    static let leastBytes: UInt64 = 1 << 30

    static func disk(_ configuration: Configuration) -> [DoctorFinding] {
        guard let directory = configuration.output.logDirectory else { return [] }
        var existing = directory
        while access(existing, F_OK) != 0, existing.contains("/"), existing != "/" {
            existing = String(existing[..<existing.lastIndex(of: "/")!])
            if existing.isEmpty { existing = "/" }
        }
        if access(existing, F_OK) != 0 { existing = "." }
        guard access(existing, W_OK) == 0 else {
            return [
                DoctorFinding(
                    .error, "log_dir", "\(existing) cannot be written by this user, so no decision log is kept",
                    remedy: "install -d -o \(getuid()) '\(directory)'")
            ]
        }
        var space = statvfs()
        guard statvfs(existing, &space) == 0 else { return [] }
        let free = UInt64(space.f_bavail) * UInt64(space.f_frsize)
        let text = "\(free >> 20) MiB free for \(directory)"
        return [
            free < leastBytes
                ? DoctorFinding(
                    .warning, "disk", text + ": the decision log stops when it is full",
                    remedy: "lower drift_metrics_retention_days, or set log_dir to a larger disk")
                : DoctorFinding(.good, "disk", text)
        ]
    }

    // MARK: Clock

    /// Whether the clock is kept by NTP, where systemd can tell.
    static func clock() -> [DoctorFinding] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/timedatectl")
        process.arguments = ["show", "--property=NTPSynchronized", "--value"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        var answer = ""
        if (try? process.run()) != nil {
            answer = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
        }
        return [clock(answer.trimmingCharacters(in: .whitespacesAndNewlines))]
    }

    static func clock(_ answer: String) -> DoctorFinding {
        switch answer {
        case "yes": DoctorFinding(.good, "clock", "synchronised")
        case "no":
            DoctorFinding(
                .warning, "clock",
                "is not synchronised: triggers are held, and records from the future refused, by it",
                remedy: "timedatectl set-ntp true")
        default:
            DoctorFinding(.warning, "clock", "timedatectl does not tell whether it is synchronised")
        }
    }

    /// What the newest record of an input says about the clocks of producers and of this machine.
    static func newest(
        _ topic: String, at timestamp: Milliseconds, now: Milliseconds, farFuture: Milliseconds
    ) -> DoctorFinding {
        let ahead = timestamp - now
        if ahead > farFuture {
            return DoctorFinding(
                .error, topic,
                "its newest record is \(ahead / 1000) s ahead of this machine's clock, so such records are refused "
                    + "(limits.far_future_mins)", remedy: "timedatectl status    # here, and where the producer runs")
        }
        if ahead > 5_000 {
            return DoctorFinding(
                .warning, topic, "its newest record is \(ahead / 1000) s ahead of this machine's clock",
                remedy: "timedatectl status    # here, and where the producer runs")
        }
        return DoctorFinding(.good, topic, "newest record \(max(0, -ahead / 1000)) s old")
    }
}
