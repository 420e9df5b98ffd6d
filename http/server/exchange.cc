#include <squall/http/server/exchange.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/http/message/date.h>
#include <squall/http/message/status.h>
#include <squall/http/server/exchange_extras.h>
#include <squall/http/server/http_server.h>
#include <squall/http/server/server_connection.h>

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <utility>

namespace squall::http {
namespace {

// Buffers that a large message has stretched are not kept for the next.
constexpr std::size_t kKeptBuffer = 64 * 1024;
constexpr std::size_t kKeptHead = 4 * 1024;
// Up to this size a body is copied behind its head, to leave in one piece; beyond, both are sent side by
// side.
constexpr std::size_t kCopiedBody = 16 * 1024;
constexpr std::string_view kLastChunk = "0\r\n\r\n";

// Copies pieces, one behind the other, to memory that has room for them.
class Copier {
 public:
  explicit Copier(char* to) noexcept : begin_(to), to_(to) {}
  Copier& operator<<(std::string_view piece) noexcept {
    to_ += piece.copy(to_, piece.size());
    return *this;
  }
  // A literal's length is known, so that no call is made for it.
  template <std::size_t N>
  Copier& operator<<(const char (&literal)[N]) noexcept {
    std::memcpy(to_, literal, N - 1);
    to_ += N - 1;
    return *this;
  }
  void number(std::uint64_t value, int base) noexcept {
    to_ = std::to_chars(to_, to_ + kDigits, value, base).ptr;
  }
  std::size_t count() const noexcept { return static_cast<std::size_t>(to_ - begin_); }

  static constexpr std::size_t kDigits = 20;

 private:
  char* begin_;
  char* to_;
};

// Fields that a trailer must not have, as they say how the message is read or where it goes.
bool is_trailer(std::string_view name) {
  for (const char* forbidden :
       {"authorization", "cache-control", "connection", "content-encoding", "content-length", "content-range",
        "content-type", "host", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade"})
    if (equals_ignoring_case(name, forbidden)) return false;
  return true;
}

// What a chunk needs beside its bytes, with room for an end without trailers.
constexpr std::size_t kChunkFraming =
    Copier::kDigits + std::string_view("\r\n\r\n").size() + kLastChunk.size();

}  // namespace

Exchange::Exchange() { request_.exchange_ = this; }
Exchange::~Exchange() = default;

[[gnu::hot]] void Exchange::begin(ServerConnection& connection, IOStream& stream, const Headers& defaults) {
  stream_ = &stream;
  connection_ = &connection;
  defaults_ = &defaults;
  context_ = nullptr;
  head_sent_ = finished_ = close_after_ = shielded_ = false;
  streamed_ = given_ = continue_due_ = detached_ = special_ = false;
  reset_head();
  buffer_.clear();
  if (!request_.body_.empty()) [[unlikely]]
    request_.body_.clear();
}

// The request is over. As many exchanges as are kept must not hold on to what their largest bodies took.
[[gnu::hot]] void Exchange::give_back_memory() noexcept {
  // Assigning an empty string would keep the memory.
  if (buffer_.capacity() > kKeptBuffer) [[unlikely]]
    std::string().swap(buffer_);
  if (request_.body_.capacity() > kKeptBuffer) [[unlikely]]
    std::string().swap(request_.body_);
  // The places of a head's fields may take five times as much as the fields themselves.
  const std::size_t any =
      request_.head_.headers.text().size() | request_.head_.trailers.text().size() | headers_.text().size();
  if (any > kKeptHead) [[unlikely]]
    give_back_heads();
  if (special_) [[unlikely]]
    extras_.reset();
}

void Exchange::give_back_heads() noexcept {
  parser_.forget();
  headers_ = Headers();
}

[[gnu::hot]] Headers& Exchange::headers() {
  if (!std::exchange(own_headers_, true)) {
    headers_ = *defaults_;
    dated_ = connection_->server_.default_headers_.date();
  }
  return headers_;
}

[[gnu::hot]] void Exchange::reset_head() noexcept {
  own_headers_ = false;
  status_ = 200;
  reason_.clear();
}

void Exchange::abort() noexcept {
  finished_ = true;
  stream_->close(std::make_error_code(std::errc::operation_canceled));
}

void Exchange::set_status(int status, std::string_view reason) {
  if ((status < 200 && status != 101) || status > 999)
    throw std::invalid_argument(fmt::format("Invalid status {}", status));
  if (!is_field_text(reason)) throw std::invalid_argument("Unsafe reason phrase");
  status_ = status;
  reason_ = reason;
}

int Exchange::cancelled_with() const noexcept { return connection_->cancelled_.status; }

// What follows the head is no HTTP any more.
bool Exchange::switches_protocols() const noexcept {
  if (request_.method() != Method::other) return status_ == 101;
  return status_ == 101 || (status_ / 100 == 2 && request_.method_name() == "CONNECT");
}

bool Exchange::body_forbidden() const noexcept {
  return request_.method() == Method::head || status_forbids_body(status_) || switches_protocols();
}

void Exchange::write(std::string_view piece) {
  if (finished_) throw std::logic_error("write() after finish()");
  if (stream_->closed()) throw StreamClosedError(stream_->error());
  if (!head_sent_) {
    if (has_trailers()) announce_trailers();
    send_head(std::nullopt, {}, kChunkFraming + piece.size());
  }
  send_piece(piece, {});
}

Exchange::Extras& Exchange::extras() {
  if (!extras_) extras_ = std::make_unique<Extras>();
  special_ = true;
  return *extras_;
}

bool Exchange::has_trailers() const noexcept { return extras_ && !extras_->trailers.empty(); }

void Exchange::announce_trailers() {
  if (request_.minor_version() == 0 || body_forbidden() || sent_headers().contains("Trailer")) return;
  std::string names;
  for (const auto [name, value] : extras_->trailers) {
    if (!is_trailer(name)) continue;
    if (!names.empty()) names += ", ";
    names += name;
  }
  if (!names.empty()) headers().set("Trailer", names);
}

std::string Exchange::last_chunk() const {
  std::string end = "0\r\n";
  for (const auto [name, value] : extras_->trailers)
    if (is_trailer(name)) end.append(name).append(": ").append(value).append("\r\n");
  return end += "\r\n";
}

WriteAwaiter Exchange::flush() { return stream_->flush(); }

[[gnu::hot]] void Exchange::finish(std::string_view last) {
  if (finished_) throw std::logic_error("finish() called twice");
  if (special_ || stream_->closed() || !send_plainly(last)) [[unlikely]]
    return finish_specially(last);
  finished_ = true;
}

void Exchange::finish_specially(std::string_view last) {
  // Whether the rest of the request will ever come is unknown, and where the next one begins is behind it.
  if (streamed_ && !parser_.complete()) close_after_ = true;
  if (!stream_->closed()) {
    if (!head_sent_ && has_trailers()) write({});
    if (head_sent_) {
      send_last(last);
    } else {
      send_head(last.size(), last, 0);
    }
  }
  finished_ = true;
  if (request_.measured_) mark(&Request::Times::response_ended);
}

void Exchange::send_last(std::string_view last) {
  if (has_trailers()) {
    send_piece(last, last_chunk());
  } else {
    send_piece(last, kLastChunk);
  }
  if (remaining_.value_or(0) > 0) broken("Tried to write {} bytes less than Content-Length");
}

// A piece of the body and, in chunks, what ends it: all of it, or an exception.
void Exchange::send_piece(std::string_view piece, std::string_view end) {
  if (!chunked_) {
    if (piece.empty() || body_forbidden()) return;
    if (remaining_ && piece.size() > *remaining_) broken("Tried to write more data than Content-Length");
    stream_->check_write(piece.size());
    send_rest(piece);
    if (remaining_) *remaining_ -= piece.size();
    return;
  }
  if (piece.empty() && end.empty()) return;
  const bool copied = piece.size() <= kCopiedBody;
  const std::size_t framing = kChunkFraming + end.size();
  if (!copied) stream_->check_write(framing + piece.size());
  Copier out(stream_->reserve_write(framing + (copied ? piece.size() : 0)));
  if (!piece.empty()) {
    out.number(piece.size(), 16);
    out << "\r\n";
    if (copied) out << piece << "\r\n";
  }
  if (copied) out << end;
  stream_->commit_write(out.count());
  if (copied) return;
  send_rest(piece);
  send_rest("\r\n");
  if (!end.empty()) send_rest(end);
}

// What has to follow bytes that are on their way: the client would take anything else for it.
void Exchange::send_rest(std::string_view data) {
  try {
    stream_->write(data);
  } catch (...) {
    abort();
    throw;
  }
}

// The connection cannot be used any more: the client would take what comes next for the rest of this
// response.
void Exchange::broken(const char* what) {
  abort();
  throw HTTPOutputError(fmt::format(fmt::runtime(what), remaining_.value_or(0)));
}

// The request came in an earlier turn. Date is when the response begins (RFC 9110, 6.6.1), unless it is one
// of the application's own.
void Exchange::refresh_date() {
  const auto then = dated_;
  defaults_ = &connection_->default_headers();
  if (!own_headers_ || then == connection_->server_.default_headers_.date()) return;
  if (headers_.find(HeaderId::date) != format_date(then)) return;
  if (const auto now = defaults_->find(HeaderId::date)) headers_.set("Date", *now);
}

// Headers that were received, for another message, come with that one's framing. They are sent without.
void Exchange::tidy_headers() {
  Headers& sent = headers();
  sent.keep_fields_only();
  sent.remove("Transfer-Encoding");
}

// What the headers promise about the body's length, which the body must keep.
void Exchange::check_content_length() {
  const auto promised = sent_headers().find(HeaderId::content_length);
  if (!promised) return;
  if (status_ == 204 || switches_protocols()) {
    headers().remove("Content-Length");
    return;
  }
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(promised->data(), promised->data() + promised->size(), length);
  if (error != std::errc() || end != promised->data() + promised->size() ||
      sent_headers().count(HeaderId::content_length) > 1)
    broken("Content-Length is not a number");
  if (!body_forbidden()) remaining_ = length;
}

// The one that nobody but us chooses.
inline std::string_view Exchange::connection_line() const noexcept {
  if (close_after_ || !request_.keep_alive()) return "Connection: close\r\n";
  return request_.minor_version() == 0 ? "Connection: keep-alive\r\n" : std::string_view();
}

// The connection's own header line. `length` is the whole body's, if that is known.
std::string_view Exchange::choose_framing(std::optional<std::uint64_t> length) {
  if (switches_protocols()) {
    close_after_ = true;  // unless it is detached
    return {};
  }
  const bool delimited = length || remaining_ || body_forbidden();
  if (!delimited) {
    chunked_ = request_.minor_version() > 0;
    if (!chunked_) close_after_ = true;
  }
  if (sent_headers().find(HeaderId::connection)) {
    if (has_token(sent_headers(), HeaderId::connection, "close")) {
      close_after_ = true;
      return {};
    }
    if (!close_after_ && request_.keep_alive()) return {};
  }
  return connection_line();
}

// Most responses: a whole body, behind headers that say nothing of how it is delimited.
inline bool Exchange::is_plain(std::string_view body) const noexcept {
  using enum HeaderId;
  if (head_sent_ || body.size() > kCopiedBody || !reason_.empty()) return false;
  if (request_.method() == Method::head || request_.method() == Method::other) return false;
  if (status_forbids_body(status_) || stream_->loop().time() != request_.start_) return false;
  const Headers& sent = sent_headers();
  return !sent.received() && !sent.contains_any(connection, content_length, transfer_encoding);
}

// What send_head() would do with a plain response, on the shortest way. False if it has to do it.
inline bool Exchange::send_plainly(std::string_view body) {
  if (!is_plain(body)) [[unlikely]]
    return false;
  const std::string_view status = status_line(status_);
  if (status.empty()) [[unlikely]]
    return false;
  const std::string_view headers = sent_headers().text();
  const std::string_view connection = connection_line();
  constexpr std::size_t kFraming = std::string_view("Content-Length: \r\n\r\n").size() + Copier::kDigits;
  Copier out(
      stream_->reserve_write(status.size() + headers.size() + connection.size() + kFraming + body.size()));
  out << status << headers << "Content-Length: ";
  out.number(body.size(), 10);
  out << "\r\n";
  if (!connection.empty()) [[unlikely]]
    out << connection;
  out << "\r\n" << body;
  head_sent_ = true;
  chunked_ = false;
  remaining_.reset();
  stream_->commit_write(out.count());
  return true;
}

// The head, and a body behind it if that is whole. If it is not, `following` says how much of it comes at
// once: there must be room for that as well.
void Exchange::send_head(std::optional<std::uint64_t> length, std::string_view body, std::size_t following) {
  // One that failed for want of room may have left them.
  remaining_.reset();
  chunked_ = false;
  if (stream_->loop().time() != request_.start_) refresh_date();
  if (sent_headers().received() || sent_headers().find(HeaderId::transfer_encoding)) tidy_headers();
  check_content_length();
  if (remaining_ && length && *length != *remaining_) {
    const bool more = *length > *remaining_;
    *remaining_ -= more ? 0 : *length;
    broken(more ? "Tried to write more data than Content-Length"
                : "Tried to write {} bytes less than Content-Length");
  }
  const std::string_view connection = choose_framing(length);
  std::string custom;
  std::string_view status = reason_.empty() ? status_line(status_) : std::string_view();
  if (status.empty()) {
    custom = fmt::format("HTTP/1.1 {} {}\r\n", status_, reason_.empty() ? reason_phrase(status_) : reason_);
    status = custom;
  }
  const std::string_view headers = sent_headers().text();
  if (body_forbidden()) {
    body = {};
    following = 0;
  }
  const std::string_view copied = body.size() <= kCopiedBody ? body : std::string_view();

  constexpr std::size_t kFraming =
      std::string_view("Transfer-Encoding: chunked\r\n\r\n").size() + Copier::kDigits;
  const std::size_t room = status.size() + headers.size() + connection.size() + kFraming + copied.size();
  following += body.size() - copied.size();
  if (following > 0) stream_->check_write(room + following);
  Copier out(stream_->reserve_write(room));
  out << status << headers;
  if (chunked_) {
    out << "Transfer-Encoding: chunked\r\n";
  } else if (length && !status_forbids_body(status_) && !switches_protocols() &&
             !sent_headers().find(HeaderId::content_length)) {
    out << "Content-Length: ";
    out.number(*length, 10);
    out << "\r\n";
  }
  if (!connection.empty()) out << connection;
  out << "\r\n" << copied;
  head_sent_ = true;
  if (special_ && request_.measured_) mark(&Request::Times::response_begun);
  stream_->commit_write(out.count());
  if (copied.size() < body.size()) send_rest(body);
}

}  // namespace squall::http
