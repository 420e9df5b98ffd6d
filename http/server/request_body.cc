#include <squall/http/server/request_body.h>

#include <squall/http/message/http_input_error.h>
#include <squall/http/server/response_writer.h>
#include <squall/iostream/address/errors.h>

#include <algorithm>
#include <utility>

namespace squall::http {
namespace {

// A collected body is decompressed into pieces of at most this size.
constexpr std::size_t kDecodedAtOnce = 64 * 1024;
// A buffer that a large body has enlarged beyond this size is freed with the request.
constexpr std::size_t kKeptBody = 64 * 1024;

}  // namespace

// A read of the body that waits for the client: the clock runs while it exists.
class RequestBody::ClientWait {
 public:
  explicit ClientWait(RequestBody& body) : body_(body) {
    const IOLoop::TimePoint now = (*body_.loop_)->now();
    // arm() may throw, and then this destructor does not run.
    if (!body_.timer_) body_.arm();
    body_.waiting_since_ = now;
  }
  ClientWait(const ClientWait&) = delete;
  ClientWait& operator=(const ClientWait&) = delete;
  ~ClientWait() {
    body_.waited_ = body_.waited();
    body_.waiting_since_.reset();
  }

 private:
  RequestBody& body_;
};

void RequestBody::forget() noexcept {
  stop_clock();
  state_ = State::none;
  waiting_since_.reset();
  decoding_.reset();
  // Assigning an empty string would keep the memory.
  if (bytes_.capacity() > kKeptBody) {
    std::string().swap(bytes_);
  } else {
    bytes_.clear();
  }
}

void RequestBody::begin(IOStream& stream, const Limits& limits, Expiry expiry, RequestTimes* times) noexcept {
  stream_ = &stream;
  loop_ = stream.loop();
  times_ = times;
  limits_ = limits;
  expiry_ = expiry;
  state_ = State::collected;
  waited_ = {};
  refusal_ = {};
  parser_.set_max_body_size(limits.max_size);
}

void RequestBody::set_max_size(std::size_t size) noexcept {
  limits_.max_size = size;
  parser_.set_max_body_size(size);
  if (decoding_) decoding_->decoder.set_max_size(size);
}

// A body with an unknown coding, or with a list of codings, is not decompressed: the delegate decides about
// it.
void RequestBody::decompress(std::optional<std::uint64_t> max_ratio) {
  Headers& headers = head_.headers;
  const auto coding = headers.find("Content-Encoding");
  if (!coding || headers.get_list("Content-Encoding").size() > 1) return;
  std::unique_ptr<ContentDecoder> decoder = make_content_decoder(*coding);
  if (!decoder) return;
  headers.rename("Content-Encoding", "X-Consumed-Content-Encoding");
  BoundedDecoder::Limits limits;
  limits.max_size = limits_.max_size;
  limits.max_ratio = max_ratio;
  decoding_ = std::make_unique<Decoding>(std::move(decoder), limits);
}

// ---- The deadline.

std::chrono::nanoseconds RequestBody::waited() const noexcept {
  if (!waiting_since_) return waited_;
  // A wait that began and ended in one turn began after time().
  return waited_ + std::max((*loop_)->time() - *waiting_since_, IOLoop::Duration::zero());
}

void RequestBody::set_timeout(TimeSpan timeout) {
  limits_.timeout = timeout;
  if (!timer_) return;
  stop_clock();
  if (waiting_since_) arm();
}

void RequestBody::start_clock() {
  waiting_since_ = (*loop_)->now();
  arm();
}

void RequestBody::arm() {
  timer_ = (*loop_)->call_later(saturating_subtract(limits_.timeout, waited()), [this] { check_clock(); });
}

// A timer that fires between two reads is armed again by the next read.
void RequestBody::check_clock() {
  timer_ = {};
  if (!waiting_since_) return;
  // The timer that has fired leaves room for the next, so that arm() does not throw.
  if (waited() < limits_.timeout) return arm();
  expiry_.function(expiry_.context);
}

void RequestBody::stop_clock() noexcept {
  if (timer_) (*loop_)->remove_timeout(std::exchange(timer_, {}));
}

// ---- Collected.

Refusal RequestBody::collect(std::string_view piece) {
  if (!decoding_) {
    bytes_.append(piece);
    return {};
  }
  // Not decoded into bytes_ itself: bytes_ would have to be enlarged and filled by 64 KiB for each piece,
  // even of one byte.
  std::string& decoded = decoding_->decoded;
  if (decoded.empty()) decoded.resize(std::min(limits_.chunk_size, kDecodedAtOnce));
  for (;;) {
    const std::size_t made = decoding_->decoder.decode(piece, decoded);
    bytes_.append(decoded, 0, made);
    if (made < decoded.size()) return decoding_->decoder.refusal();
  }
}

Refusal RequestBody::end_collecting() noexcept {
  stop_clock();
  waiting_since_.reset();
  if (times_) times_->body = std::chrono::steady_clock::now();
  if (!decoding_ || decoding_->decoder.finish()) return {};
  return decoding_->decoder.refusal();
}

// ---- Streamed.

Task<std::string_view> RequestBody::read() {
  return decoding_ && is_streamed() ? read_decompressed() : read_pieces();
}

Task<std::string_view> RequestBody::read_pieces() {
  if (state_ == State::given) co_return std::string_view();
  if (state_ == State::none || state_ == State::collected) {
    state_ = State::given;
    co_return bytes_;
  }
  bytes_.clear();
  for (;;) {
    if (state_ == State::detached) throw StreamClosedError();
    if (state_ == State::failed) fail(refusal_);
    std::string_view nothing;
    if (parser_.complete() || parser_.parse(nothing) == RequestParser::Result::complete) co_return {};
    if (parser_.refusal()) fail(parser_.refusal());
    response_.send_continue();
    const ClientWait wait(*this);
    const ReadView bytes = co_await stream_->read_some(limits_.chunk_size);
    if (bytes.empty()) fail({400, "Incomplete request"});
    const std::string_view piece = take_pieces(bytes);
    if (!piece.empty()) co_return piece;
  }
}

// The part of `bytes` that belongs to the body: a view into `bytes` if the parser finds one piece. The
// bytes behind the request go back to the stream.
std::string_view RequestBody::take_pieces(std::string_view bytes) {
  std::string_view first;
  while (parser_.parse(bytes) == RequestParser::Result::piece) {
    if (first.empty()) {
      first = parser_.piece();
    } else {
      if (bytes_.empty()) bytes_ = first;
      bytes_.append(parser_.piece());
    }
  }
  stream_->unread(bytes.size());
  if (parser_.complete()) {
    stop_clock();
    if (times_) times_->body = std::chrono::steady_clock::now();
  }
  return bytes_.empty() ? first : std::string_view(bytes_);
}

Task<std::string_view> RequestBody::read_decompressed() {
  for (;;) {
    if (state_ == State::failed) fail(refusal_);
    Decoding& decoding = *decoding_;
    decoding.decoded.resize(limits_.chunk_size);
    const std::size_t made =
        decoding.decoder.decode(decoding.encoded, {decoding.decoded.data(), decoding.decoded.size()});
    if (decoding.decoder.refusal()) fail(decoding.decoder.refusal());
    if (made > 0) co_return std::string_view(decoding.decoded).substr(0, made);
    const std::string_view piece = co_await read_pieces();
    if (piece.empty()) {
      if (!decoding.decoder.finish()) fail(decoding.decoder.refusal());
      co_return {};
    }
    decoding.encoded = piece;
  }
}

// The rest of the body cannot be read, so the connection closes after any answer of the delegate.
void RequestBody::fail(const Refusal& refusal) {
  state_ = State::failed;
  refusal_ = refusal;
  response_.close_after();
  throw HTTPInputError(refusal.status, std::string(refusal.reason));
}

}  // namespace squall::http
