// The request's half of an exchange: its body, collected by the connection or read by the delegate.

#include <squall/http/server/exchange.h>
#include <squall/http/server/exchange_extras.h>

#include <algorithm>
#include <utility>

namespace squall::http {
namespace {

// What a collected body is decompressed into on its way, at the most.
constexpr std::size_t kDecodedAtOnce = 64 * 1024;

}  // namespace

// A read of the body that waits for the client: only then does the body's time run.
class Exchange::Reading {
 public:
  explicit Reading(Exchange& exchange) noexcept
      : exchange_(exchange), loop_(exchange.stream_->loop()), since_(loop_.time()) {
    exchange_.reading_ = this;
  }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
  ~Reading() {
    exchange_.reading_ = nullptr;
    exchange_.body_waited_ += waited();
  }
  std::chrono::nanoseconds waited() const noexcept { return loop_.time() - since_; }

 private:
  Exchange& exchange_;
  IOLoop& loop_;
  IOLoop::TimePoint since_;
};

void Exchange::begin_body(std::size_t max_size, std::chrono::nanoseconds timeout,
                          std::size_t chunk_size) noexcept {
  body_timeout_ = timeout;
  body_waited_ = {};
  chunk_size_ = chunk_size;
  reading_ = nullptr;
  body_refusal_ = {};
  set_max_body_size(max_size);
}

void Exchange::set_max_body_size(std::size_t size) noexcept {
  max_body_size_ = size;
  parser_.set_max_body_size(size);
  if (extras_ && extras_->decoder) extras_->decoder->set_max_size(size);
}

std::chrono::nanoseconds Exchange::waited_for_body() const noexcept {
  return reading_ ? body_waited_ + reading_->waited() : std::chrono::nanoseconds(0);
}

// From now on the body is given as it was before the client compressed it (H1C-40). A coding we do not know
// stays as it is, for the delegate to judge.
void Exchange::decompress(std::uint64_t max_ratio) {
  Headers& headers = request_.head_.headers;
  const auto coding = headers.find("Content-Encoding");
  if (!coding || headers.get_list("Content-Encoding").size() > 1) return;
  std::unique_ptr<ContentDecoder> decoder = make_content_decoder(*coding);
  if (!decoder) return;
  headers.rename("Content-Encoding", "X-Consumed-Content-Encoding");
  BoundedDecoder::Limits limits;
  limits.max_size = max_body_size_;
  limits.max_ratio = max_ratio;
  extras().decoder.emplace(std::move(decoder), limits);
}

// ---- By the connection.

Refusal Exchange::collect(std::string_view piece) {
  std::string& body = request_.body_;
  if (!extras_ || !extras_->decoder) {
    body.append(piece);
    return {};
  }
  // Not into the body itself, which would have to be stretched, and filled, for pieces of a byte as well.
  std::string& decoded = extras_->decoded;
  if (decoded.empty()) decoded.resize(std::min(chunk_size_, kDecodedAtOnce));
  for (;;) {
    const std::size_t made = extras_->decoder->decode(piece, decoded);
    body.append(decoded, 0, made);
    if (made < decoded.size()) return extras_->decoder->refusal();
  }
}

Refusal Exchange::end_collecting() noexcept {
  if (!extras_ || !extras_->decoder || extras_->decoder->finish()) return {};
  return extras_->decoder->refusal();
}

// ---- By the delegate.

Task<std::string_view> Exchange::read() {
  return extras_ && extras_->decoder && streamed_ ? read_decompressed() : read_pieces();
}

Task<std::string_view> Exchange::read_pieces() {
  if (!streamed_) co_return std::exchange(given_, true) ? std::string_view() : request_.body();
  request_.body_.clear();
  for (;;) {
    if (detached_) throw StreamClosedError();
    if (body_refusal_) fail_body(body_refusal_);
    std::string_view nothing;
    if (parser_.complete() || parser_.parse(nothing) == RequestParser::Result::complete) co_return {};
    if (parser_.refusal()) fail_body(parser_.refusal());
    if (std::exchange(continue_due_, false) && !head_sent_) stream_->write("HTTP/1.1 100 Continue\r\n\r\n");
    const Reading reading(*this);
    const ReadView bytes = co_await stream_->read_some(chunk_size_);
    if (bytes.empty()) fail_body({400, "Incomplete request"});
    const std::string_view piece = take_pieces(bytes);
    if (!piece.empty()) co_return piece;
  }
}

// The part of the body in these bytes: a view of them if it is in one piece there. What comes behind the
// request goes back to the stream.
std::string_view Exchange::take_pieces(std::string_view bytes) {
  using Result = RequestParser::Result;
  std::string& gathered = request_.body_;
  std::string_view first;
  for (;;) {
    const Result result = parser_.parse(bytes);
    if (result != Result::piece) break;
    if (first.empty()) {
      first = parser_.piece();
    } else {
      if (gathered.empty()) gathered = first;
      gathered.append(parser_.piece());
    }
  }
  stream_->unread(bytes.size());
  if (parser_.complete() && request_.measured_) mark(&Request::Times::body);
  return gathered.empty() ? first : std::string_view(gathered);
}

Task<std::string_view> Exchange::read_decompressed() {
  for (;;) {
    if (body_refusal_) fail_body(body_refusal_);
    std::string& decoded = extras_->decoded;
    decoded.resize(chunk_size_);
    const std::size_t made = extras_->decoder->decode(extras_->encoded, {decoded.data(), decoded.size()});
    if (extras_->decoder->refusal()) fail_body(extras_->decoder->refusal());
    if (made > 0) co_return std::string_view(decoded).substr(0, made);
    const std::string_view piece = co_await read_pieces();
    if (piece.empty()) {
      if (!extras_->decoder->finish()) fail_body(extras_->decoder->refusal());
      co_return {};
    }
    extras_->encoded = piece;
  }
}

// Whatever the delegate makes of this, the connection cannot be used any more.
void Exchange::fail_body(const Refusal& refusal) {
  body_refusal_ = refusal;
  close_after_ = true;
  throw HTTPInputError(refusal.status, std::string(refusal.reason));
}

}  // namespace squall::http
