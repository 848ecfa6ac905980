import Glibc

/// A password or token that lives in a file and never in the configuration itself.
public enum Secret {
    static let bytesMax = 65_536

    /// The file's text without the line break at its end.
    ///
    /// - Throws: `SecretError` where the file cannot be read, is blank, is larger than 64 KiB or is not UTF-8.
    public static func read(file path: String) throws(SecretError) -> String {
        let bytes: [UInt8]
        do throws(FileReadError) {
            bytes = try FileBytes.read(path, bytesMax: bytesMax)
        } catch {
            throw SecretError(path: path, message: error.message)
        }
        guard var text = String(validating: bytes, as: UTF8.self) else {
            throw SecretError(path: path, message: "is not UTF-8 text")
        }
        while text.last?.isNewline == true { text.removeLast() }
        guard text.contains(where: { !$0.isWhitespace }) else { throw SecretError(path: path, message: "is empty") }
        return text
    }
}

/// Why a secret could not be read. Never holds the secret.
public struct SecretError: Error, Sendable, Equatable, CustomStringConvertible {
    public var path: String
    public var message: String
    public var description: String { "secret file \(path) \(message)" }
}
