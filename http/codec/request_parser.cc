#include <squall/http/codec/request_parser.h>

#include <squall/http/codec/check_head.h>
#include <squall/http/codec/content_length.h>
#include <squall/ioloop/base/ascii.h>

#include <algorithm>
#include <cstring>
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

// Whether two heads of the same length differ, and so 16 bytes at least. It looks at all of both in any case.
bool differ(std::string_view a, std::string_view b) noexcept {
  // Two chains of operations, the lesser half of the loop's cost; and the last bytes, some of them again.
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
    default: return Method::other;
  }
}

}  // namespace

const llhttp_settings_t& RequestParser::settings() {
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

RequestParser::RequestParser() {
  llhttp_init(&parser_, HTTP_REQUEST, &settings());
  parser_.data = this;
}

[[gnu::hot]] void RequestParser::begin(Request& request, const Limits& limits) noexcept {
  if (request_ != &request) repeatable_ = false;
  request_ = &request;
  limits_ = limits;
  fresh_ = true;
  begun_ = false;
}

void RequestParser::forget() noexcept {
  repeatable_ = false;
  Request& request = *request_;
  request.headers_ = Headers();
  request.trailers_ = Headers();
  request.method_size_ = request.target_ = request.target_size_ = request.path_ = request.path_size_ = 0;
  request.query_ = request.query_size_ = request.host_ = request.host_size_ = 0;
}

[[gnu::hot]] bool RequestParser::repeats(std::string_view bytes) const noexcept {
  const std::string_view last = request_->headers_.text();
  if (!repeatable_ || bytes.size() < last.size()) [[unlikely]]
    return false;
  return !differ(bytes.substr(0, last.size()), last);
}

void RequestParser::reset() {
  llhttp_reset(&parser_);
  repeatable_ = fresh_ = empty_line_open_ = complete_ = false;
  phase_ = Phase::head;
  refusal_ = {};
  request_->headers_.clear();
  request_->headers_.received_ = true;
  request_->body_.clear();
  if (!request_->trailers_.empty()) request_->trailers_.clear();
  request_->target_size_ = 0;
  request_->method_ = Method::other;
  request_->minor_version_ = 1;
  request_->keep_alive_ = false;
}

[[gnu::hot]] RequestParser::Result RequestParser::parse(std::string_view& bytes) {
  if (!begun_) [[likely]] {
    if (fresh_ && repeats(bytes)) [[likely]] {
      bytes.remove_prefix(request_->headers_.text().size());
      begun_ = true;
      return Result::complete;
    }
    if (fresh_) reset();
    if (!skip_empty_lines(bytes)) return refuse({400, "Bare CR or LF before the request"});
    if (bytes.empty()) return Result::more;
    begun_ = true;
  }
  switch (phase_) {
    case Phase::head: return parse_head(bytes);
    case Phase::bad_line: return parse_bad_line(bytes);
    default: return parse_body(bytes);
  }
}

// Clients of old end a body with an extra CRLF, which the next request must be read without (RFC 9112, 2.2).
bool RequestParser::skip_empty_lines(std::string_view& bytes) {
  while (!bytes.empty() && (bytes.front() == '\r' || bytes.front() == '\n' || empty_line_open_)) {
    if (bytes.front() != (empty_line_open_ ? '\n' : '\r')) return false;
    empty_line_open_ = !empty_line_open_;
    bytes.remove_prefix(1);
  }
  return true;
}

RequestParser::Result RequestParser::parse_head(std::string_view& bytes) {
  std::string& text = request_->headers_.text_;
  const std::string_view feed = bytes.substr(0, limits_.max_header_size - text.size());
  base_ = static_cast<std::uint32_t>(text.size());
  std::size_t used = 0;
  const llhttp_errno_t error = execute(feed, used);
  text.append(feed.substr(0, used));
  bytes.remove_prefix(used);
  if (error == HPE_PAUSED) {
    const Result checked = check_head();
    if (checked == Result::failed) return checked;
    if (complete_) {
      repeatable_ = true;
      return Result::complete;
    }
    begin_body();
    return Result::head;
  }
  if (error == HPE_OK) return check_size();
  if (error == HPE_USER) return refuse({431, "Too many request header fields"});
  if (error == HPE_PAUSED_H2_UPGRADE) return refuse({505, "Unsupported HTTP version"});
  if (text.find('\n') != text.npos) return refuse_as_llhttp_does();
  // Where within the line llhttp stops depends on how it came. The verdict must not, so it waits for the
  // rest.
  phase_ = Phase::bad_line;
  return parse_bad_line(bytes);
}

RequestParser::Result RequestParser::parse_bad_line(std::string_view& bytes) {
  std::string& text = request_->headers_.text_;
  const std::string_view feed = bytes.substr(0, limits_.max_header_size - text.size());
  text.append(feed);
  bytes.remove_prefix(feed.size());
  // A byte that no method has settles it: TLS spoken to a port without it must not be left waiting.
  const bool is_method = is_token(std::string_view(text).substr(0, text.find_first_of(" \r\n")));
  const std::size_t end = text.find_first_of("\r\n");
  if (end == text.npos && is_method) return check_size();
  const Refusal refusal = judge_request_line(std::string_view(text).substr(0, end));
  // A line that is well formed after all has a method llhttp does not know, or something it will not have.
  if (refusal.status == 501 && llhttp_get_errno(&parser_) != HPE_INVALID_METHOD)
    return refuse_as_llhttp_does();
  return refuse(refusal);
}

RequestParser::Result RequestParser::check_size() {
  const std::string& text = request_->headers_.text_;
  if (text.size() < limits_.max_header_size) return Result::more;
  if (text.find('\n') == text.npos) return refuse({414, "Request line too long"});
  return refuse({431, "Request header fields too large"});
}

// llhttp stays where it is, behind the head, until it is reset for the next one.
void RequestParser::begin_body() noexcept {
  phase_ = Phase::body;
  chunked_ = request_->headers_.find(HeaderId::transfer_encoding).has_value();
  remaining_ = chunked_ ? 0 : parser_.content_length;
  if (chunked_) chunks_.begin(limits_.max_header_size);
  set_max_body_size(max_body_size_);
}

RequestParser::Result RequestParser::parse_body(std::string_view& bytes) {
  if (refusal_) return Result::failed;
  if (chunked_) {
    switch (chunks_.decode(bytes, piece_)) {
      case ChunkedDecoder::Result::more: return Result::more;
      case ChunkedDecoder::Result::piece: return Result::piece;
      case ChunkedDecoder::Result::failed: return refuse(chunks_.refusal());
      case ChunkedDecoder::Result::end: break;
    }
    if (!complete_) chunks_.move_trailers_to(request_->trailers_);
    complete_ = true;
    return Result::complete;
  }
  if (parser_.content_length > max_body_size_) return refuse({413, "Body too large"});
  if (complete_) return Result::complete;
  if (bytes.empty()) return Result::more;
  piece_ = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, bytes.size())));
  bytes.remove_prefix(piece_.size());
  remaining_ -= piece_.size();
  complete_ = remaining_ == 0;
  return Result::piece;
}

llhttp_errno_t RequestParser::execute(std::string_view feed, std::size_t& used) {
  if (llhttp_get_errno(&parser_) == HPE_PAUSED) llhttp_resume(&parser_);
  data_ = feed.data();
  const llhttp_errno_t error = llhttp_execute(&parser_, feed.data(), feed.size());
  used =
      error == HPE_OK ? feed.size() : static_cast<std::size_t>(llhttp_get_error_pos(&parser_) - feed.data());
  return error;
}

int RequestParser::on_url(llhttp_t* parser, const char* at, std::size_t size) {
  RequestParser& me = self(parser);
  if (me.request_->target_size_ == 0) me.request_->target_ = me.position(at);
  me.request_->target_size_ += static_cast<std::uint32_t>(size);
  return HPE_OK;
}

int RequestParser::on_header_field(llhttp_t* parser, const char* at, std::size_t size) {
  RequestParser& me = self(parser);
  std::vector<Headers::Line>& lines = me.request_->headers_.lines_;
  const std::uint32_t begin = me.position(at);
  // A name that goes on where the last piece ended has come in two reads; a new one has a line end before it.
  if (!lines.empty() && lines.back().value == 0 && begin == lines.back().name + lines.back().name_size) {
    lines.back().name_size += static_cast<std::uint32_t>(size);
  } else {
    if (lines.size() >= me.limits_.max_header_count) return HPE_USER;
    lines.push_back({begin, static_cast<std::uint32_t>(size), 0, 0, HeaderId::other});
  }
  return HPE_OK;
}

int RequestParser::on_header_value(llhttp_t* parser, const char* at, std::size_t size) {
  RequestParser& me = self(parser);
  Headers::Line& line = me.request_->headers_.lines_.back();
  if (line.value == 0) line.value = me.position(at);
  line.value_size = me.position(at) + static_cast<std::uint32_t>(size) - line.value;
  return HPE_OK;
}

int RequestParser::on_headers_complete(llhttp_t* parser) {
  // A request to switch protocols may be ignored (RFC 9110, 7.8), and so its body is one.
  parser->upgrade = 0;
  const bool has_body =
      (parser->flags & (F_CHUNKED | F_TRANSFER_ENCODING)) != 0 || parser->content_length > 0;
  return has_body ? HPE_PAUSED : HPE_OK;
}

int RequestParser::on_message_complete(llhttp_t* parser) {
  self(parser).complete_ = true;
  return HPE_PAUSED;
}

std::optional<std::uint64_t> RequestParser::body_length() const noexcept {
  if (chunked_) return std::nullopt;
  return parser_.content_length;
}

RequestParser::Result RequestParser::check_head() {
  Request& request = *request_;
  Headers& headers = request.headers_;
  const std::string_view text = headers.text();
  for (Headers::Line& line : headers.lines_) {
    line.id = header_id(headers.name_of(line));
    // llhttp has skipped the blanks before the value, and counts those behind it.
    line.value_size = static_cast<std::uint32_t>(trim(headers.value_of(line)).size());
  }
  headers.fill_slots();
  // llhttp lets several spaces pass, and versions other than these.
  request.method_size_ = request.target_ - 1;
  const std::string_view version = text.substr(request.target_ + request.target_size_, 11);
  if (text[request.method_size_ - 1] == ' ' || (version != " HTTP/1.1\r\n" && version != " HTTP/1.0\r\n"))
    return refuse(judge_request_line(text.substr(0, text.find('\r'))));
  request.minor_version_ = static_cast<std::uint8_t>(version[8] - '0');
  request.method_ = method_of(static_cast<llhttp_method_t>(parser_.method));
  // llhttp overlooks members with tabs around them.
  request.keep_alive_ = request.minor_version_ > 0;
  if (headers.find(HeaderId::connection)) {
    // A body without a length, which HTTP/1.0 ended by closing, must not be taken for the next request; and
    // `close` is heard whatever stands beside it (H1C-50 to H1C-54).
    const bool ends = request.minor_version_ > 0 || request.method_ == Method::get ||
                      request.method_ == Method::head || headers.find(HeaderId::content_length);
    request.keep_alive_ = ends && !has_token(headers, HeaderId::connection, "close") &&
                          (request.keep_alive_ || has_token(headers, HeaderId::connection, "keep-alive"));
  }
  // What follows a CONNECT is for whom it is answered by, and never another request.
  if (parser_.method == HTTP_CONNECT) request.keep_alive_ = false;

  Target target;
  if (const Refusal refusal = split_target(request.method_name(), request.target(), target))
    return refuse(refusal);
  if (const Refusal refusal = check_host(headers, request.minor_version_)) return refuse(refusal);
  if (const Refusal refusal = check_transfer_encoding(headers, request.minor_version_))
    return refuse(refusal);
  if (!framing_agrees()) return refuse({400, "Ambiguous length"});
  if (const Refusal refusal = check_expect(headers, request.minor_version_)) return refuse(refusal);

  const auto offset_of = [&](std::string_view part) {
    return static_cast<std::uint32_t>(part.data() - text.data());
  };
  const std::string_view host =
      target.authority.empty() ? headers.find(HeaderId::host).value_or("") : target.authority;
  request.path_ = offset_of(target.path);
  request.path_size_ = static_cast<std::uint32_t>(target.path.size());
  request.query_ = target.query.empty() ? 0 : offset_of(target.query);
  request.query_size_ = static_cast<std::uint32_t>(target.query.size());
  request.host_ = host.empty() ? 0 : offset_of(host);
  request.host_size_ = static_cast<std::uint32_t>(host.size());
  request.host_missing_ = host.empty() && !headers.find(HeaderId::host);
  return Result::head;
}

// llhttp has gone by what it took the fields for, and we go by what they say: where the body ends must be the
// same to both.
bool RequestParser::framing_agrees() const noexcept {
  const auto encoding = request_->headers_.find(HeaderId::transfer_encoding);  // `chunked`, as was checked
  const auto length = request_->headers_.find(HeaderId::content_length);
  if (encoding) return !length && !complete_;
  if (!length) return complete_;
  const std::optional<std::uint64_t> number = parse_content_length(*length);
  return number && *number == parser_.content_length && complete_ == (*number == 0);
}

RequestParser::Result RequestParser::refuse(const Refusal& refusal) noexcept {
  refusal_ = refusal;
  return Result::failed;
}

RequestParser::Result RequestParser::refuse_as_llhttp_does() noexcept {
  const char* const reason = llhttp_get_error_reason(&parser_);
  return refuse({400, reason && *reason ? reason : "Malformed HTTP message"});
}

}  // namespace squall::http
