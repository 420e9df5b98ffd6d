#include <squall/http/codec/request_parser.h>

#include <squall/http/codec/check_head.h>
#include <squall/http/codec/content_length.h>
#include <squall/http/message/head_builder.h>
#include <squall/ioloop/base/ascii.h>

#include <llhttp.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace squall::http {
namespace {

using Lanes [[gnu::vector_size(16)]] = std::uint64_t;

Lanes difference(const char* a, const char* b) noexcept {
  Lanes left;
  Lanes right;
  std::memcpy(&left, a, sizeof left);
  std::memcpy(&right, b, sizeof right);
  return left ^ right;
}

// Whether two heads of the same length differ. Always reads all bytes of both. A valid head has 16 bytes or
// more.
bool differ(std::string_view a, std::string_view b) noexcept {
  // Two independent chains of operations halve the cost of the loop. The last lanes are compared first and
  // may overlap the lanes of the loop.
  const std::size_t last = a.size() - sizeof(Lanes);
  Lanes even = difference(a.data() + last, b.data() + last);
  Lanes odd{};
  for (std::size_t at = 0; at < last; at += 2 * sizeof(Lanes)) {
    const std::size_t next = std::min(at + sizeof(Lanes), last);
    even |= difference(a.data() + at, b.data() + at);
    odd |= difference(a.data() + next, b.data() + next);
  }
  even |= odd;
  return (even[0] | even[1]) != 0;
}

Method method_of(llhttp_method_t method) noexcept {
  switch (method) {
    case HTTP_GET: return Method::get;
    case HTTP_HEAD: return Method::head;
    case HTTP_POST: return Method::post;
    case HTTP_PUT: return Method::put;
    case HTTP_DELETE: return Method::delete_;
    case HTTP_PATCH: return Method::patch;
    case HTTP_OPTIONS: return Method::options;
    case HTTP_QUERY: return Method::query;
    default: return Method::other;
  }
}

}  // namespace

// The functions that llhttp calls.
struct RequestParser::Callbacks {
  static RequestParser& self(llhttp_t* parser) noexcept { return *static_cast<RequestParser*>(parser->data); }

  static int on_url(llhttp_t* parser, const char* at, std::size_t size) {
    RequestParser& me = self(parser);
    if (me.request_->target_size == 0) me.request_->target_begin = me.position(at);
    me.request_->target_size += static_cast<std::uint32_t>(size);
    return HPE_OK;
  }

  static int on_header_field(llhttp_t* parser, const char* at, std::size_t size) {
    RequestParser& me = self(parser);
    HeadBuilder head(me.request_->headers);
    const bool has_room =
        head.add_name(me.position(at), static_cast<std::uint32_t>(size), me.limits_.max_header_count);
    return has_room ? HPE_OK : HPE_USER;
  }

  static int on_header_value(llhttp_t* parser, const char* at, std::size_t size) {
    RequestParser& me = self(parser);
    HeadBuilder(me.request_->headers).add_value(me.position(at), static_cast<std::uint32_t>(size));
    return HPE_OK;
  }

  static int on_headers_complete(llhttp_t* parser) {
    // The server ignores requests to switch protocols (RFC 9110, 7.8), so the bytes behind the head are a
    // body.
    parser->upgrade = 0;
    const bool has_body =
        (parser->flags & (F_CHUNKED | F_TRANSFER_ENCODING)) != 0 || parser->content_length > 0;
    return has_body ? HPE_PAUSED : HPE_OK;
  }

  static int on_message_complete(llhttp_t* parser) {
    self(parser).state_ = State::complete;
    return HPE_PAUSED;
  }

  static const llhttp_settings_t& settings() {
    static const llhttp_settings_t instance = [] {
      llhttp_settings_t settings;
      llhttp_settings_init(&settings);
      settings.on_url = on_url;
      settings.on_header_field = on_header_field;
      settings.on_header_value = on_header_value;
      settings.on_headers_complete = on_headers_complete;
      settings.on_message_complete = on_message_complete;
      return settings;
    }();
    return instance;
  }
};

RequestParser::RequestParser() {
  static_assert(sizeof(llhttp_t) <= sizeof(llhttp_) && alignof(llhttp_t) <= alignof(std::max_align_t));
  ::new (llhttp_.data()) llhttp_t;
  llhttp_init(&llhttp(), HTTP_REQUEST, &Callbacks::settings());
  llhttp().data = this;
  // llhttp accepts only the versions that existed when it was written. read_version_and_method() checks the
  // version.
  llhttp_set_lenient_version(&llhttp(), 1);
}

[[gnu::hot]] void RequestParser::begin(ParsedRequest& request, const Limits& limits) noexcept {
  if (request_ != &request) repeatable_ = false;
  request_ = &request;
  limits_ = limits;
  state_ = State::fresh;
}

void RequestParser::forget() noexcept {
  repeatable_ = false;
  *request_ = ParsedRequest();
}

[[gnu::hot]] bool RequestParser::repeats(std::string_view bytes) const noexcept {
  const std::string_view last = request_->headers.text();
  if (!repeatable_ || bytes.size() < last.size()) [[unlikely]]
    return false;
  return !differ(bytes.substr(0, last.size()), last);
}

void RequestParser::reset() {
  llhttp_reset(&llhttp());
  repeatable_ = false;
  state_ = State::before;
  refusal_ = {};
  HeadBuilder(request_->headers).begin();
  if (!request_->trailers.empty()) request_->trailers.clear();
  request_->target_size = 0;
  request_->method = Method::other;
  request_->minor_version = 1;
  request_->keep_alive = false;
}

[[gnu::hot]] RequestParser::Result RequestParser::parse(std::string_view& bytes) {
  if (!begun()) [[likely]] {
    if (state_ == State::fresh) [[likely]] {
      if (repeats(bytes)) [[likely]] {
        bytes.remove_prefix(request_->headers.text().size());
        state_ = State::complete;
        return Result::complete;
      }
      reset();
    }
    if (!skip_empty_lines(bytes)) return refuse({400, "Bare CR or LF before the request"});
    if (bytes.empty()) return Result::more;
    state_ = State::head;
  }
  switch (state_) {
    case State::head: return parse_head(bytes);
    case State::bad_method:
    case State::bad_line: return parse_bad_line(bytes);
    case State::length: return parse_length(bytes);
    case State::chunks: return parse_chunks(bytes);
    case State::complete: return Result::complete;
    default: return Result::failed;
  }
}

// Old clients end a body with an extra CRLF, which does not belong to the next request (RFC 9112, 2.2).
// False for a CR or an LF alone.
bool RequestParser::skip_empty_lines(std::string_view& bytes) {
  while (!bytes.empty()) {
    const bool is_open = state_ == State::empty_line;
    if (!is_open && bytes.front() != '\r' && bytes.front() != '\n') return true;
    if (bytes.front() != (is_open ? '\n' : '\r')) return false;
    state_ = is_open ? State::before : State::empty_line;
    bytes.remove_prefix(1);
  }
  return true;
}

RequestParser::Result RequestParser::parse_head(std::string_view& bytes) {
  const std::size_t before = request_->headers.text().size();
  const std::string_view feed = bytes.substr(0, limits_.max_header_size - before);
  base_ = static_cast<std::uint32_t>(before);
  std::size_t used = 0;
  const int error = execute(feed, used);
  HeadBuilder(request_->headers).append_text(feed.substr(0, used));
  bytes.remove_prefix(used);
  if (error == HPE_PAUSED) return check_head();
  if (error == HPE_OK) return check_size();
  if (error == HPE_USER) return refuse({431, "Too many request header fields"});
  if (error == HPE_PAUSED_H2_UPGRADE) return refuse({505, "Unsupported HTTP version"});
  if (request_->headers.text().find('\n') != std::string_view::npos) return refuse_as_llhttp_does();
  // The place where llhttp stops within the line depends on how the line was cut into reads. The verdict must
  // not depend on that, so it waits for the end of the line.
  state_ = State::bad_method;
  append_bad_line(bytes);
  return judge_bad_line(0);
}

void RequestParser::append_bad_line(std::string_view& bytes) {
  const std::string_view feed = bytes.substr(0, limits_.max_header_size - request_->headers.text().size());
  HeadBuilder(request_->headers).append_text(feed);
  bytes.remove_prefix(feed.size());
}

RequestParser::Result RequestParser::parse_bad_line(std::string_view& bytes) {
  const std::size_t scanned = request_->headers.text().size();
  append_bad_line(bytes);
  return judge_bad_line(scanned);
}

// The first `scanned` bytes have decided nothing. Not to scan them again makes a line that comes byte by byte
// cost linear time.
RequestParser::Result RequestParser::judge_bad_line(std::size_t scanned) {
  const std::string_view text = request_->headers.text();
  if (state_ == State::bad_method) {
    const std::size_t end = std::min(text.find_first_of(" \r\n", scanned), text.size());
    const std::string_view letters = text.substr(scanned, end - scanned);
    // A byte that no method may contain is refused at once: a client that speaks TLS to a port without TLS
    // gets its answer without a delay.
    const bool is_method = letters.empty() ? scanned > 0 : is_token(letters);
    if (!is_method) return refuse(judge_request_line(text));
    if (end < text.size() && text[end] == ' ') state_ = State::bad_line;
    scanned = end;
  }
  const std::size_t end = text.find_first_of("\r\n", scanned);
  if (end == text.npos) return check_size();
  const Refusal refusal = judge_request_line(text.substr(0, end));
  // If the line is well formed, llhttp does not know its method, or refuses another part of the line.
  if (refusal.status == 501 && llhttp_get_errno(&llhttp()) != HPE_INVALID_METHOD)
    return refuse_as_llhttp_does();
  return refuse(refusal);
}

RequestParser::Result RequestParser::check_size() {
  const std::string_view text = request_->headers.text();
  if (text.size() < limits_.max_header_size) return Result::more;
  if (state_ == State::bad_method) return refuse({501, "Unknown method"});
  if (text.find('\n') == text.npos) return refuse({414, "Request line too long"});
  return refuse({431, "Request header fields too large"});
}

// ---- Bodies. llhttp stays at the end of the head until it is reset for the next head.

void RequestParser::begin_body() noexcept {
  const bool is_chunked = request_->headers.find(HeaderId::transfer_encoding).has_value();
  state_ = is_chunked ? State::chunks : State::length;
  remaining_ = is_chunked ? 0 : llhttp().content_length;
  if (is_chunked) chunks_.begin(limits_.max_header_size);
  set_max_body_size(max_body_size_);
}

std::optional<std::uint64_t> RequestParser::body_length() const noexcept {
  if (state_ == State::chunks) return std::nullopt;
  return llhttp().content_length;
}

RequestParser::Result RequestParser::parse_chunks(std::string_view& bytes) {
  switch (chunks_.decode(bytes, piece_)) {
    case ChunkedDecoder::Result::more: return Result::more;
    case ChunkedDecoder::Result::piece: return Result::piece;
    case ChunkedDecoder::Result::failed: return refuse(chunks_.refusal());
    case ChunkedDecoder::Result::end: break;
  }
  chunks_.move_trailers_to(request_->trailers);
  state_ = State::complete;
  return Result::complete;
}

RequestParser::Result RequestParser::parse_length(std::string_view& bytes) {
  if (llhttp().content_length > max_body_size_) return refuse({413, "Body too large"});
  if (bytes.empty()) return Result::more;
  piece_ = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, bytes.size())));
  bytes.remove_prefix(piece_.size());
  remaining_ -= piece_.size();
  if (remaining_ == 0) state_ = State::complete;
  return Result::piece;
}

// ---- Heads.

int RequestParser::execute(std::string_view feed, std::size_t& used) {
  if (llhttp_get_errno(&llhttp()) == HPE_PAUSED) llhttp_resume(&llhttp());
  data_ = feed.data();
  const llhttp_errno_t error = llhttp_execute(&llhttp(), feed.data(), feed.size());
  used =
      error == HPE_OK ? feed.size() : static_cast<std::size_t>(llhttp_get_error_pos(&llhttp()) - feed.data());
  return error;
}

// The head has been read. Without a body llhttp has set State::complete already.
RequestParser::Result RequestParser::check_head() {
  HeadBuilder(request_->headers).end();
  if (!read_version_and_method()) {
    const std::string_view text = request_->headers.text();
    return refuse(judge_request_line(text.substr(0, text.find('\r'))));
  }
  decide_keep_alive();
  Target target;
  if (const Refusal refusal = split_target(request_->method_name(), request_->target(), target))
    return refuse(refusal);
  if (const Refusal refusal = check_fields()) return refuse(refusal);
  store_target(target);
  if (state_ == State::complete) {
    repeatable_ = true;
    return Result::complete;
  }
  begin_body();
  return Result::head;
}

// False if the request line is not exactly as RFC 9112 defines it, or has another major version: llhttp also
// accepts several spaces, and any version. A later version of HTTP/1 is processed as HTTP/1.1 (RFC 9110,
// 2.5).
bool RequestParser::read_version_and_method() noexcept {
  ParsedRequest& request = *request_;
  const std::string_view text = request.headers.text();
  request.method_size = request.target_begin - 1;
  const std::string_view version = text.substr(request.target_begin + request.target_size, 11);
  if (text[request.method_size - 1] == ' ' || !version.starts_with(" HTTP/1.") || !is_digit(version[8]) ||
      !version.ends_with("\r\n"))
    return false;
  request.minor_version = version[8] == '0' ? 0 : 1;
  request.method = method_of(static_cast<llhttp_method_t>(llhttp().method));
  return true;
}

// llhttp does not decide this: it overlooks members of a list that have tabs around them.
void RequestParser::decide_keep_alive() noexcept {
  ParsedRequest& request = *request_;
  const Headers& headers = request.headers;
  request.keep_alive = request.minor_version > 0;
  if (headers.find(HeaderId::connection)) {
    // An HTTP/1.0 client may end a body without a length by closing: such a body must not be taken for the
    // next request. `close` takes precedence over the rest of the list (H1C-50 to H1C-54).
    const bool ends = request.minor_version > 0 || request.method == Method::get ||
                      request.method == Method::head || headers.find(HeaderId::content_length);
    request.keep_alive = ends && !has_token(headers, HeaderId::connection, "close") &&
                         (request.keep_alive || has_token(headers, HeaderId::connection, "keep-alive"));
  }
  // The bytes behind a CONNECT belong to the tunnel, and are never another request.
  if (llhttp().method == HTTP_CONNECT) request.keep_alive = false;
}

Refusal RequestParser::check_fields() const {
  const Headers& headers = request_->headers;
  const int minor_version = request_->minor_version;
  if (const Refusal refusal = check_host(headers, minor_version)) return refusal;
  if (const Refusal refusal = check_transfer_encoding(headers, minor_version)) return refusal;
  if (!framing_agrees()) return {400, "Ambiguous length"};
  return check_expect(headers, minor_version);
}

void RequestParser::store_target(const Target& target) noexcept {
  ParsedRequest& request = *request_;
  const std::string_view text = request.headers.text();
  const auto offset_of = [&](std::string_view part) {
    return static_cast<std::uint32_t>(part.data() - text.data());
  };
  const std::string_view host =
      target.authority.empty() ? request.headers.find(HeaderId::host).value_or("") : target.authority;
  request.path_begin = offset_of(target.path);
  request.path_size = static_cast<std::uint32_t>(target.path.size());
  request.query_begin = target.query.empty() ? 0 : offset_of(target.query);
  request.query_size = static_cast<std::uint32_t>(target.query.size());
  request.host_begin = host.empty() ? 0 : offset_of(host);
  request.host_size = static_cast<std::uint32_t>(host.size());
  request.host_missing = host.empty() && !request.headers.find(HeaderId::host);
}

// llhttp finds the end of the body from its own flags, this parser finds it from the fields. Both must
// agree.
bool RequestParser::framing_agrees() const noexcept {
  const bool has_no_body = state_ == State::complete;
  const auto encoding = request_->headers.find(HeaderId::transfer_encoding);  // known to be `chunked`
  const auto length = request_->headers.find(HeaderId::content_length);
  if (encoding) return !length && !has_no_body;
  if (!length) return has_no_body;
  const std::optional<std::uint64_t> number = parse_content_length(*length);
  return number && *number == llhttp().content_length && has_no_body == (*number == 0);
}

RequestParser::Result RequestParser::refuse(const Refusal& refusal) noexcept {
  refusal_ = refusal;
  state_ = State::failed;
  return Result::failed;
}

RequestParser::Result RequestParser::refuse_as_llhttp_does() noexcept {
  const char* const reason = llhttp_get_error_reason(&llhttp());
  return refuse({400, reason && *reason ? reason : "Malformed HTTP message"});
}

}  // namespace squall::http
