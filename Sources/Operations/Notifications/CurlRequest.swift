internal import CLibcurl
import Glibc

/// One request by HTTP or SMTP, as libcurl sends it.
struct CurlRequest: Equatable {
    var url: String
    var body: [UInt8]
    /// HTTP: whole lines.
    var headers: [String] = []
    var isGet = false
    var mail: Mail?
    var timeoutMilliseconds = 10_000

    struct Mail: Equatable {
        var from: String
        var to: String
        var username: String?
        var password: String?
        var requiresEncryption = false
    }

    private static let isReady = clibcurl_initialise() == 0

    /// Blocks until the answer or the timeout. An answer of 200 to 299 (SMTP: 250) is a success.
    ///
    /// - Parameter bytesMax: of the answer's body; the rest is left out.
    /// - Returns: the body.
    @discardableResult
    func send(bytesMax: Int = 512) throws(DeliveryFailure) -> [UInt8] {
        guard Self.isReady else { throw DeliveryFailure(isFinal: true, message: "libcurl does not start") }
        var answer = clibcurl_answer()
        var room = [UInt8](repeating: 0, count: bytesMax)
        room.withUnsafeMutableBytes { room in
            answer.body = room.baseAddress?.assumingMemoryBound(to: CChar.self)
            answer.body_capacity = room.count
            withNative { clibcurl_send(&$0, &answer) }
        }
        room.removeLast(room.count - answer.body_length)
        let text = withUnsafeBytes(of: &answer.error) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        guard answer.code == 0 else {
            // A refusal for good by a mail server has a status from 500 on; the rest may pass.
            throw DeliveryFailure(isFinal: mail != nil && answer.status >= 500, message: "\(url): \(text)")
        }
        guard mail == nil, !(200...299).contains(answer.status) else { return room }
        let isFinal = (400...499).contains(answer.status) && answer.status != 408 && answer.status != 429
        throw DeliveryFailure(
            isFinal: isFinal,
            message: "\(url) answered \(answer.status): \(String(decoding: room.prefix(200), as: UTF8.self))")
    }

    private func withNative(_ call: (inout clibcurl_request) -> Void) {
        var request = clibcurl_request()
        request.timeout_milliseconds = timeoutMilliseconds
        request.is_get = isGet ? 1 : 0
        request.requires_tls = mail?.requiresEncryption == true ? 1 : 0
        let lines: [UnsafePointer<CChar>?] = headers.map { UnsafePointer(strdup($0)) }
        defer { for line in lines { free(UnsafeMutablePointer(mutating: line)) } }
        let texts = [url, mail?.from, mail?.to, mail?.username, mail?.password].map { text in
            text.map { UnsafePointer<CChar>(strdup($0)) } ?? nil
        }
        defer { for text in texts { free(UnsafeMutablePointer(mutating: text)) } }
        request.url = texts[0]
        request.mail_from = texts[1]
        request.mail_to = texts[2]
        request.username = texts[3]
        request.password = texts[4]
        body.withUnsafeBytes { bytes in
            request.body = bytes.baseAddress
            request.body_length = bytes.count
            lines.withUnsafeBufferPointer { lines in
                request.headers = lines.baseAddress
                request.header_count = lines.count
                call(&request)
            }
        }
    }
}
