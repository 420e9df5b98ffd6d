#include <squall/http/server/response_writer.h>

#include <squall/http/codec/check_head.h>
#include <squall/http/codec/chunk_encoder.h>
#include <squall/http/codec/content_length.h>
#include <squall/http/message/status.h>
#include <squall/http/server/byte_copier.h>
#include <squall/http/server/request.h>
#include <squall/http/server/response_trailers.h>
#include <squall/iostream/socket/file.h>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace squall::http {
namespace {

// A body of up to this size is copied behind its head, so that both are sent in one piece. A longer body is
// not copied.
constexpr std::size_t kCopiedBody = 16 * 1024;
// Filters get a file in pieces of this size.
constexpr std::size_t kFileRead = 64 * 1024;
// The framing of a chunk, with the last chunk behind it but without trailers.
constexpr std::size_t kChunkFraming = kMaxChunkSizeLine + kChunkEnd.size() + kLastChunk.size();

}  // namespace

// ---- The head.

[[gnu::hot]] void ResponseWriter::reset_head() noexcept {
  head_.reset();
  if (needs_slow_path_) [[unlikely]] {
    if (state_ == State::head) {
      filters_.reset();
      trailers_.reset();
    }
    filters_failed_ = false;
    head_hook_due_ = head_hook_.call != nullptr;
  }
}

void ResponseWriter::inform(int status, const Headers& headers) {
  if (status < 100 || status > 199 || status == 101)
    throw std::invalid_argument(fmt::format("Not an interim status: {}", status));
  if (state_ != State::head) throw std::logic_error("inform() was called after the response's head was sent");
  if (request_.minor_version() == 0) return;
  if (status == 100) continue_due_ = false;
  Headers sent = headers;
  sent.keep_fields_only();
  sent.remove("Content-Length");
  sent.remove("Transfer-Encoding");
  stream_->write(fmt::format("HTTP/1.1 {} {}\r\n{}\r\n", status, reason_phrase(status), sent.text()));
}

void ResponseWriter::send_continue() {
  if (std::exchange(continue_due_, false) && !head_sent()) stream_->write("HTTP/1.1 100 Continue\r\n\r\n");
}

// Whether the bytes behind the head are of another protocol.
bool ResponseWriter::switches_protocols() const noexcept {
  if (request_.method() != Method::other) return status() == 101;
  return status() == 101 || (status() / 100 == 2 && request_.method_name() == "CONNECT");
}

bool ResponseWriter::body_forbidden() const noexcept {
  return request_.method() == Method::head || status_forbids_body(status()) || switches_protocols();
}

// The Content-Length of the application's headers, which the body must match.
std::optional<std::uint64_t> ResponseWriter::promised_length() {
  const auto promised = head_.present().find(HeaderId::content_length);
  if (!promised) return std::nullopt;
  if (status() == 204 || switches_protocols()) {
    headers().remove("Content-Length");
    return std::nullopt;
  }
  const auto length = parse_content_length(*promised);
  if (!length || head_.present().count(HeaderId::content_length) > 1) fail("Content-Length is not a number");
  if (body_forbidden()) return std::nullopt;
  return length;
}

void ResponseWriter::check_whole(std::uint64_t promised, std::uint64_t length) {
  if (length > promised) fail("Tried to write more data than Content-Length");
  if (length < promised) fail("Tried to write {} bytes less than Content-Length", promised - length);
}

// The Connection header line that the server adds.
inline std::string_view ResponseWriter::connection_line() const noexcept {
  if (close_after_ || !request_.keep_alive()) return "Connection: close\r\n";
  return request_.minor_version() == 0 ? "Connection: keep-alive\r\n" : std::string_view();
}

// `length` is the size of a whole body, `promised` the Content-Length of the application's headers.
ResponseWriter::Framing ResponseWriter::choose_framing(std::optional<std::uint64_t> length,
                                                       std::optional<std::uint64_t> promised) {
  if (switches_protocols()) {
    close_after_ = true;  // unless the handler detaches the connection
    return {State::no_body, {}};
  }
  State state = State::no_body;
  if (!body_forbidden()) {
    const bool may_be_chunked = request_.minor_version() > 0;
    state = length || promised ? State::length : may_be_chunked ? State::chunks : State::until_close;
  }
  if (state == State::until_close) close_after_ = true;
  if (head_.present().find(HeaderId::connection)) {
    if (has_token(head_.present(), HeaderId::connection, "close")) {
      close_after_ = true;
      return {state, {}};
    }
    if (!close_after_ && request_.keep_alive()) return {state, {}};
  }
  return {state, connection_line()};
}

bool ResponseWriter::needs_length_field(std::optional<std::uint64_t> length) const noexcept {
  return length && !status_forbids_body(status()) && !switches_protocols() &&
         !head_.present().find(HeaderId::content_length);
}

// Sends the head and, if `length` is the size of `body`, the whole body. Otherwise `following` is the size
// of the piece that the caller sends next: there must be room for that piece too.
void ResponseWriter::send_head(std::optional<std::uint64_t> length, std::string_view body,
                               std::size_t following) {
  if (stream_->loop().time() != request_.start_time()) head_.refresh_date(stream_->loop().time());
  if (head_.present().received() || head_.present().find(HeaderId::transfer_encoding)) head_.tidy();
  const std::optional<std::uint64_t> promised = promised_length();
  if (promised && length) check_whole(*promised, *length);
  const Framing framing = choose_framing(length, promised);
  std::string custom;
  const std::string_view status = head_.status_text(custom);
  const std::string_view headers = head_.present().text();
  if (framing.state == State::no_body) {
    body = {};
    following = 0;
  }
  const std::string_view copied = body.size() <= kCopiedBody ? body : std::string_view();

  constexpr std::size_t kFraming =
      std::string_view("Transfer-Encoding: chunked\r\n\r\n").size() + ByteCopier::kDigits;
  const std::size_t room =
      status.size() + headers.size() + framing.connection.size() + kFraming + copied.size();
  following += body.size() - copied.size();
  if (following > 0) stream_->check_write(room + following);
  ByteCopier out(stream_->reserve_write(room));
  out << status << headers;
  if (framing.state == State::chunks) {
    out << "Transfer-Encoding: chunked\r\n";
  } else if (needs_length_field(length)) {
    out << "Content-Length: ";
    out.number(*length);
    out << "\r\n";
  }
  out << framing.connection << "\r\n" << copied;
  state_ = framing.state;
  remaining_ = promised.value_or(0);
  if (times_) times_->response_begun = std::chrono::steady_clock::now();
  stream_->commit_write(out.count());
  if (copied.size() < body.size()) send_rest(body);
}

// ---- The fast path.

// True for most responses: a whole body, and no header field that concerns its framing.
inline bool ResponseWriter::is_plain(std::string_view body) const noexcept {
  using enum HeaderId;
  if (state_ != State::head || body.size() > kCopiedBody || !head_.reason().empty()) return false;
  if (request_.method() == Method::head || request_.method() == Method::other) return false;
  if (status_forbids_body(status()) || stream_->loop().time() != request_.start_time()) return false;
  const Headers& sent = head_.present();
  return !sent.received() && !sent.contains_any(connection, content_length, transfer_encoding);
}

// Sends the same bytes as send_head() for a plain response. False if the response is not plain.
[[gnu::always_inline]] inline bool ResponseWriter::send_plain(std::string_view body) {
  if (!is_plain(body)) [[unlikely]]
    return false;
  const std::string_view status = status_line(head_.status());
  if (status.empty()) [[unlikely]]
    return false;
  const std::string_view headers = head_.present().text();
  const std::string_view connection = connection_line();
  constexpr std::size_t kFraming = std::string_view("Content-Length: \r\n\r\n").size() + ByteCopier::kDigits;
  ByteCopier out(
      stream_->reserve_write(status.size() + headers.size() + connection.size() + kFraming + body.size()));
  out << status << headers << "Content-Length: ";
  out.number(body.size());
  out << "\r\n";
  if (!connection.empty()) [[unlikely]]
    out << connection;
  out << "\r\n" << body;
  stream_->commit_write(out.count());
  return true;
}

[[gnu::hot]] void ResponseWriter::finish(std::string_view last) {
  if (finished()) throw std::logic_error("finish() called twice");
  if (needs_slow_path_ || stream_->closed() || !send_plain(last)) [[unlikely]]
    return finish_slowly(last);
  state_ = State::done;
}

// ---- The body.

void ResponseWriter::write(std::string_view piece) {
  if (finished()) throw std::logic_error("write() was called after finish()");
  if (stream_->closed()) throw StreamClosedError(stream_->error());
  call_head_hook(std::nullopt);
  try {
    piece = filter(piece, std::nullopt, ResponseFilters::Last::no);
    if (state_ == State::head) {
      const std::optional<std::uint64_t> promised = promised_length();
      if (promised && piece.size() > *promised) fail("Tried to write more data than Content-Length");
    }
    begin_pieces(piece.size());
    send_piece(piece, {});
  } catch (...) {
    if (filters_) give_up_filters();
    throw;
  }
}

void ResponseWriter::write_shared(SharedBytes piece) {
  if (piece->size() <= kCopiedBody) return write(std::string_view(*piece));
  write(std::string_view());  // the head
  if (filters_ || state_ != State::chunks) return write(std::string_view(*piece));
  stream_->check_write(kChunkFraming + piece->size());
  ByteCopier out(stream_->reserve_write(kChunkFraming));
  out.chunk_size_line(piece->size());
  stream_->commit_write(out.count());
  try {
    stream_->write(std::move(piece));
  } catch (...) {
    abort();
    throw;
  }
  send_rest(kChunkEnd);
}

// Sends the head of a body in pieces, unless it is sent. `following` is the size of the next piece.
void ResponseWriter::begin_pieces(std::size_t following) {
  if (state_ != State::head) return;
  if (has_trailers()) announce_trailers();
  send_head(std::nullopt, {}, kChunkFraming + following);
}

// ---- Filters.

void ResponseWriter::add_filter(std::unique_ptr<ResponseFilter> filter) {
  if (state_ != State::head)
    throw std::logic_error("add_filter() was called after the response's head was sent");
  if (!filters_) filters_ = std::make_unique<ResponseFilters>();
  needs_slow_path_ = true;
  filters_->add(std::move(filter));
}

void ResponseWriter::set_head_hook(HeadHook hook) noexcept {
  head_hook_ = hook;
  head_hook_due_ = hook.call != nullptr;
  needs_slow_path_ = needs_slow_path_ || head_hook_due_;
}

void ResponseWriter::call_head_hook(std::optional<std::uint64_t> size) {
  if (state_ != State::head || !std::exchange(head_hook_due_, false)) return;
  try {
    head_hook_.call(head_hook_.context, size);
  } catch (...) {
    head_hook_ = {};
    throw;
  }
}

// The bytes that are sent in place of `piece`: the piece itself without filters.
std::string_view ResponseWriter::filter(std::string_view piece, std::optional<std::uint64_t> size,
                                        ResponseFilters::Last last) {
  if (filters_failed_) throw std::logic_error("a filter has failed: call reset_head() before the next write");
  if (!filters_) return piece;
  if (state_ == State::head) filters_->head(head_.status(), head_.headers(), size);
  return filters_->pass(piece, last);
}

// The filters have consumed bytes that were not sent, so their output cannot continue. If the head was not
// sent, reset_head() makes a response without filters possible.
void ResponseWriter::give_up_filters() noexcept {
  if (state_ != State::head) return abort();
  filters_.reset();
  filters_failed_ = true;
}

// Filters need the bytes of a file, so the file is read into memory.
void ResponseWriter::send_file_filtered(const FileSlice& file) {
  if (finished()) throw std::logic_error("finish() called twice");
  if (state_ != State::head) throw std::logic_error("a whole body cannot follow a piece of the body");
  if (stream_->closed()) return finish_slowly({});
  try {
    send_file_pieces(file);
    finish(std::string_view());
  } catch (...) {
    if (!finished() && state_ != State::head) abort();
    throw;
  }
}

void ResponseWriter::send_file_pieces(const FileSlice& file) {
  std::string piece;
  for (std::uint64_t sent = 0; sent < file.length; sent += piece.size()) {
    piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(file.length - sent, kFileRead)));
    const ssize_t count = read_file(file.fd.get(), piece, file.offset + sent);
    if (count <= 0) {
      abort();
      throw HTTPOutputError("A file to be sent cannot be read, or has become shorter");
    }
    piece.resize(static_cast<std::size_t>(count));
    write(piece);
    if (!sends_body()) return;
  }
}

void ResponseWriter::finish_slowly(std::string_view last) {
  if (stream_->closed()) {
    state_ = state_ == State::head ? State::dropped : State::done;
  } else {
    call_head_hook(last.size());
    try {
      send_all(filter(last, last.size(), ResponseFilters::Last::yes));
    } catch (...) {
      if (filters_) give_up_filters();
      throw;
    }
    state_ = State::done;
  }
  end();
}

void ResponseWriter::send_all(std::string_view last) {
  // Only chunks can have trailers behind them.
  if (state_ == State::head && has_trailers()) {
    if (const auto promised = promised_length()) check_whole(*promised, last.size());
    announce_trailers();
    send_head(std::nullopt, {}, kChunkFraming);
  }
  if (state_ == State::head) {
    // For HEAD a handler may leave out the body: its length behind the filters is not known.
    const bool has_length = !filters_ || !last.empty() || request_.method() != Method::head;
    send_head(has_length ? std::optional<std::uint64_t>(last.size()) : std::nullopt, last, 0);
  } else {
    send_last(last);
  }
}

void ResponseWriter::end() noexcept {
  if (times_) times_->response_ended = std::chrono::steady_clock::now();
}

// ---- Bodies from other sources than a string.

// Sends the head of a response whose body has `length` bytes, `in_memory` of which need room in the stream's
// buffer. False if no body is to be sent: the response is finished then.
bool ResponseWriter::begin_whole(std::uint64_t length, std::uint64_t in_memory) {
  if (finished()) throw std::logic_error("finish() called twice");
  if (state_ != State::head) throw std::logic_error("a whole body cannot follow a piece of the body");
  if (!stream_->closed()) {
    send_head(length, {}, static_cast<std::size_t>(in_memory));
    if (state_ != State::no_body && length > 0) return true;
  }
  state_ = stream_->closed() ? State::dropped : State::done;
  end();
  return false;
}

void ResponseWriter::finish(SharedBytes body) {
  if (!stream_->closed()) call_head_hook(body->size());
  if (body->size() <= kCopiedBody || has_trailers() || filters_) return finish(std::string_view(*body));
  if (!begin_whole(body->size(), body->size())) return;
  try {
    stream_->write(std::move(body));
  } catch (...) {
    abort();
    throw;
  }
  state_ = State::done;
  end();
}

bool ResponseWriter::filters_body(std::uint64_t size) {
  if (!stream_->closed()) call_head_hook(size);
  return filters_ != nullptr;
}

void ResponseWriter::finish_file(FileSlice file) {
  if (!stream_->closed()) call_head_hook(file.length);
  if (filters_) return send_file_filtered(file);
  // Before the head is queued, so that the handler can still answer with an error.
  if (!finished() && !stream_->closed()) file.check();
  if (!begin_whole(file.length, 0)) return;
  try {
    stream_->write_file(std::move(file));
  } catch (...) {
    abort();
    throw;
  }
  state_ = State::done;
  end();
}

void ResponseWriter::send_last(std::string_view last) {
  if (has_trailers()) {
    send_piece(last, last_chunk(*trailers_));
  } else {
    send_piece(last, kLastChunk);
  }
  if (state_ == State::length && remaining_ > 0)
    fail("Tried to write {} bytes less than Content-Length", remaining_);
}

// Sends a piece of the body and, in chunks, `end` behind it. Sends all of both, or throws.
void ResponseWriter::send_piece(std::string_view piece, std::string_view end) {
  if (state_ == State::chunks) return send_chunk(piece, end);
  if (piece.empty() || state_ == State::no_body) return;
  if (state_ == State::length && piece.size() > remaining_)
    fail("Tried to write more data than Content-Length");
  stream_->check_write(piece.size());
  send_rest(piece);
  if (state_ == State::length) remaining_ -= piece.size();
}

void ResponseWriter::send_chunk(std::string_view piece, std::string_view end) {
  if (piece.empty() && end.empty()) return;
  const bool is_copied = piece.size() <= kCopiedBody;
  const std::size_t framing = kChunkFraming + end.size();
  if (!is_copied) stream_->check_write(framing + piece.size());
  ByteCopier out(stream_->reserve_write(framing + (is_copied ? piece.size() : 0)));
  if (!piece.empty()) {
    out.chunk_size_line(piece.size());
    if (is_copied) out << piece << kChunkEnd;
  }
  if (is_copied) out << end;
  stream_->commit_write(out.count());
  if (is_copied) return;
  send_rest(piece);
  send_rest(kChunkEnd);
  if (!end.empty()) send_rest(end);
}

// Sends bytes that must follow the bytes sent before. If they cannot be sent, the connection is closed: the
// client would take other bytes for them.
void ResponseWriter::send_rest(std::string_view data) {
  try {
    stream_->write(data);
  } catch (...) {
    abort();
    throw;
  }
}

// ---- Trailers.

Headers& ResponseWriter::trailers() {
  if (!trailers_) trailers_ = std::make_unique<Headers>();
  needs_slow_path_ = true;
  return *trailers_;
}

void ResponseWriter::announce_trailers() {
  if (request_.minor_version() == 0 || body_forbidden() || head_.present().contains("Trailer")) return;
  const std::string names = trailer_names(*trailers_);
  if (!names.empty()) headers().set("Trailer", names);
}

// ---- Failure.

void ResponseWriter::abort() noexcept {
  state_ = state_ == State::head || state_ == State::dropped ? State::dropped : State::done;
  stream_->close(std::make_error_code(std::errc::operation_canceled));
}

// Throws. If the head was sent, closes the connection before: the client would take the next response for the
// rest of this response.
void ResponseWriter::fail(const char* format, std::uint64_t bytes) {
  if (state_ != State::head) abort();
  throw HTTPOutputError(fmt::format(fmt::runtime(format), bytes));
}

}  // namespace squall::http
