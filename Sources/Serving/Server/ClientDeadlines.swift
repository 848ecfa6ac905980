import Logging
import NIOCore
import NIOHTTPTypes

/// Closes connections that are slow on purpose or by accident: whose request does not get finished, or that take nothing
/// of what is written to them.
///
/// An idle timeout alone does not do: it begins anew with every byte of a body, and says nothing of a reader that stops.
final class ClientDeadlines: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let request: TimeAmount
    private let stalled: TimeAmount
    /// Runs while the head or the body of a request is awaited; not while it is answered.
    private var awaitsRequest: Scheduled<Void>?
    private var awaitsReader: Scheduled<Void>?
    private var answering = 0

    init(requestSeconds: Int64, stalledSeconds: Int64) {
        request = .seconds(requestSeconds)
        stalled = .seconds(stalledSeconds)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { expectRequest(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        expectRequest(context)
        context.fireChannelActive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        cancel()
        context.fireChannelInactive()
    }

    private func cancel() {
        awaitsRequest?.cancel()
        awaitsReader?.cancel()
        awaitsRequest = nil
        awaitsReader = nil
    }

    private func expectRequest(_ context: ChannelHandlerContext) {
        guard awaitsRequest == nil else { return }
        awaitsRequest = close(context, after: request)
    }

    private func close(_ context: ChannelHandlerContext, after time: TimeAmount) -> Scheduled<Void> {
        let channel = context.channel
        return context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: answering += 1
        case .body: break
        case .end:
            awaitsRequest?.cancel()
            awaitsRequest = nil
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            answering = max(0, answering - 1)
            // The next one, on the same connection.
            if answering == 0 { expectRequest(context) }
        }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            awaitsReader?.cancel()
            awaitsReader = nil
        } else if awaitsReader == nil {
            awaitsReader = close(context, after: stalled)
        }
        context.fireChannelWritabilityChanged()
    }
}
