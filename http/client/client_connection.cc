#include <squall/http/client/client_connection.h>

#include <squall/http/client/request_head.h>

#include <algorithm>
#include <utility>

namespace squall::http {
namespace {

// A body of up to this size is sent at once, a longer one as the server takes it, in pieces of this size.
constexpr std::size_t kPiece = 64 * 1024;
// A server that does not know of Expect is not waited for longer (RFC 9110, 10.1.1).
constexpr std::chrono::seconds kContinuePatience{1};

Task<> watch(IOStream& stream) { co_await stream.read_some(std::nothrow); }

}  // namespace

ClientConnection::ClientConnection(IOStream stream, Via via, std::string proxy_authorization)
    : stream_(std::move(stream)), via_(via), proxy_authorization_(std::move(proxy_authorization)) {}

ClientConnection::~ClientConnection() {
  upload_.reset();
  watch_.reset();
  stream_.loop().remove_timeout(continue_timer_);
}

// ---- Sending.

void ClientConnection::begin(Fetch& fetch, const Options& options, bool reused) {
  fetch_ = &fetch;
  reused_ = reused;
  clean_ = false;
  own_failure_ = false;
  upload_done_ = true;
  wants_continue_ = false;
  flushed_before_ = stream_.flushed_bytes();
  begun_ = stream_.loop().time();
  fetch.enter(FetchPhase::request);
  receiver_.begin(fetch, options.max_header_size);
  try {
    send_head(options);
  } catch (const StreamClosedError&) {
    // So will the next read find.
  }
  if (upload_done_) fetch.enter(FetchPhase::head);
}

void ClientConnection::send_head(const Options& options) {
  // The memory of the last one.
  static thread_local std::string text;
  text.clear();
  RequestHead head(*fetch_);
  head.absolute = via_ == Via::proxy;
  head.proxy_authorization = proxy_authorization_;
  head.keep_alive = options.keep_alive;
  head.write_to(text);
  keep_alive_ = head.keep_alive;
  const std::string* const body = fetch_->body();
  wants_continue_ = head.expects_continue;
  if (!wants_continue_ && body && body->size() <= kPiece) {
    text += *body;
    stream_.write(text);
    if (text.size() > kPiece / 4) std::string().swap(text);
    return;
  }
  stream_.write(text);
  if (wants_continue_) {
    send_body_anyway_later();
  } else {
    begin_body();
  }
}

void ClientConnection::send_body_anyway_later() {
  upload_done_ = false;
  continue_timer_ = stream_.loop().call_later(kContinuePatience, [this] {
    continue_timer_ = {};
    begin_body();
  });
}

void ClientConnection::begin_body() {
  wants_continue_ = false;
  stream_.loop().remove_timeout(std::exchange(continue_timer_, Timeout()));
  if (!fetch_->body() && !fetch_->has_producer()) return;
  upload_done_ = false;
  upload_ = send_body();
  upload_.start(*this, kUpload);
}

Task<> ClientConnection::send_body() {
  if (const std::string* const body = fetch_->body()) {
    BodyWriter writer(stream_, body->size());
    for (std::string_view rest = *body; !rest.empty(); rest.remove_prefix(std::min(kPiece, rest.size())))
      co_await writer.write(rest.substr(0, kPiece));
    co_return;
  }
  BodyWriter writer(stream_, promised_length(fetch_->headers()));
  co_await fetch_->request().body_producer(writer);
  writer.finish();
}

// ---- Receiving.

ClientConnection::Next ClientConnection::receive(std::string_view bytes) {
  if (bytes.empty()) return receive_end();
  if (!receiver_.begun()) {
    HTTPResponse::Data& data = *fetch_->response().data_;
    data.times.first_byte = stream_.loop().time() - begun_;
    if (stream_.flushed_bytes() == flushed_before_) {
      // What came late for the last request is no harm to this one, of which the server has nothing.
      if (reused_ && (fetch_->is_repeatable() || !fetch_->has_producer())) return Next::stale;
      HTTPClientError::Failure failure;
      failure.phase = FetchPhase::request;
      failure.peer = fetch_->peer();
      throw HTTPProtocolError("The server answered before the request was sent", std::move(failure));
    }
  }
  for (;;) {
    switch (receiver_.receive(bytes)) {
      case ResponseReceiver::Result::more: return Next::read;
      case ResponseReceiver::Result::may_send:
        if (wants_continue_) begin_body();
        continue;
      case ResponseReceiver::Result::go_on:
        if (!receiver_.streams()) continue;
        stream_.unread(bytes.size());
        return Next::stream;
      case ResponseReceiver::Result::piece: continue;  // not before receive_slowly()
      case ResponseReceiver::Result::complete: clean_ = bytes.empty(); return end();
      case ResponseReceiver::Result::abandoned: return end();
    }
  }
}

ClientConnection::Next ClientConnection::receive_end() {
  check_upload();
  if (!receiver_.begun() && reused_) {
    const bool was_sent = stream_.flushed_bytes() > flushed_before_;
    if (fetch_->is_repeatable() || (!was_sent && !fetch_->has_producer())) return Next::stale;
  }
  receiver_.receive_end(stream_.error());
  return end();
}

Task<> ClientConnection::receive_slowly() {
  std::string_view bytes;
  bool is_end = false;
  for (;;) {
    const ResponseReceiver::Result result =
        is_end ? receiver_.receive_end(stream_.error()) : receiver_.receive(bytes);
    if (result == ResponseReceiver::Result::complete) break;
    if (result == ResponseReceiver::Result::piece) {
      Task<> taking = fetch_->request().streaming_callback(receiver_.piece());
      if (taking) co_await std::move(taking);
    } else if (result == ResponseReceiver::Result::more) {
      try {
        const std::string_view got = co_await stream_.read_some(kPiece);
        bytes = got;
      } catch (const StreamClosedError&) {
        bytes = {};
      }
      is_end = bytes.empty();
      if (is_end) check_upload();
    }
  }
  clean_ = bytes.empty();
  end();
}

// The response is there. Should the body still be on its way, the server does not want the rest of it.
ClientConnection::Next ClientConnection::end() {
  stream_.loop().remove_timeout(std::exchange(continue_timer_, Timeout()));
  if (upload_done_) check_upload();
  upload_.reset();
  return Next::done;
}

// What the upload has thrown, unless that is but the closing of the stream.
void ClientConnection::check_upload() {
  if (!upload_ || !upload_done_) return;
  try {
    upload_.result();
  } catch (const StreamClosedError&) {
    // A producer may have other streams.
    if (own_failure_) throw;
  }
}

std::coroutine_handle<> ClientConnection::task_ended(std::size_t number) noexcept {
  if (number == kWatch) {
    pool_->discard(*this);
  } else {
    upload_done_ = true;
    if (fetch_->phase() == FetchPhase::request) fetch_->enter(FetchPhase::head);
    // Whoever waits for the response hears of it.
    if (upload_.error()) {
      own_failure_ = !stream_.closed();
      stream_.close(std::make_error_code(std::errc::operation_canceled));
    }
  }
  return std::noop_coroutine();
}

bool ClientConnection::is_reusable() const noexcept {
  return keep_alive_ && receiver_.keep_alive() && clean_ && upload_done_ && !stream_.closed() &&
         !stream_.at_eof() && stream_.pending_write_bytes() == 0;
}

// ---- Between requests.

void ClientConnection::begin_idle(ConnectionPool& pool) {
  fetch_ = nullptr;
  pool_ = &pool;
  idle_since_ = stream_.loop().time();
  watch_ = watch(stream_);
  watch_.start(*this, kWatch);
}

void ClientConnection::end_idle() noexcept {
  watch_.reset();
  pool_ = nullptr;
}

}  // namespace squall::http
