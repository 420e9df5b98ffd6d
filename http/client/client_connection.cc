#include <squall/http/client/client_connection.h>

#include <utility>

namespace squall::http {

ClientConnection::ClientConnection(IOStream stream, Via via, std::string proxy_authorization,
                                   std::shared_ptr<const TLSContext> tls)
    : stream_(std::move(stream)),
      via_(via),
      proxy_authorization_(std::move(proxy_authorization)),
      tls_(std::move(tls)) {}

void ClientConnection::begin(Fetch& fetch, const Options& options) {
  fetch_ = &fetch;
  ++requests_;
  flushed_before_ = stream_.flushed_bytes();
  begun_ = stream_.loop().time();
  receiver_.begin(fetch, options.max_header_size);
  RequestSender::Options sending;
  sending.via = via_;
  sending.proxy_authorization = proxy_authorization_;
  sending.keep_alive = options.keep_alive;
  sender_.begin(fetch, stream_, sending);
}

ClientConnection::Next ClientConnection::receive(std::string_view bytes) {
  if (bytes.empty()) return receive_end();
  if (!receiver_.begun()) {
    fetch_->data().times.first_byte = stream_.loop().time() - begun_;
    if (sent() == Fetch::Sent::nothing) {
      // On a kept connection these bytes are a late reply to the previous request: the server has received
      // nothing of this request.
      if (requests_ > 1 && fetch_->may_retry(Fetch::Sent::nothing)) return Next::stale;
      throw HTTPProtocolError("The server answered before the request was sent",
                              fetch_->failure(FetchPhase::request));
    }
  }
  if (fetch_->request().streaming_callback.waits()) {
    held_.assign(bytes);
    bytes = held_;
  }
  rest_ = bytes;
  return go_on();
}

ClientConnection::Next ClientConnection::go_on() {
  for (;;) {
    switch (receiver_.receive(rest_)) {
      case ResponseReceiver::Result::more: return Next::read;
      case ResponseReceiver::Result::may_send: sender_.send_body(); break;
      case ResponseReceiver::Result::go_on: break;
      case ResponseReceiver::Result::piece: return Next::piece;
      case ResponseReceiver::Result::upgraded: return upgrade();
      case ResponseReceiver::Result::complete:
      case ResponseReceiver::Result::abandoned: return end();
    }
  }
}

ClientConnection::Next ClientConnection::receive_end() {
  sender_.check();
  if (!receiver_.begun() && requests_ > 1 && fetch_->may_retry(sent())) return Next::stale;
  receiver_.receive_end(stream_.error());
  return end();
}

// The response is complete: the server does not want the rest of a body that is still being sent.
ClientConnection::Next ClientConnection::end() {
  sender_.check();
  sender_.stop();
  std::string().swap(held_);
  return Next::done;
}

ClientConnection::Next ClientConnection::upgrade() {
  sender_.check();
  if (!sender_.is_sent())
    throw HTTPProtocolError("The server switched protocols before the request was sent",
                            fetch_->failure(FetchPhase::head));
  stream_.unread(rest_.size());
  return Next::upgraded;
}

bool ClientConnection::is_reusable() const noexcept {
  return sender_.keeps_alive() && receiver_.keeps_alive() && rest_.empty() && sender_.is_sent() &&
         !stream_.closed() && !stream_.at_eof() && stream_.pending_write_bytes() == 0;
}

}  // namespace squall::http
