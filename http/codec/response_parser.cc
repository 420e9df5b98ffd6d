#include <squall/http/codec/response_parser.h>

#include <squall/http/codec/check_head.h>
#include <squall/http/codec/content_length.h>
#include <squall/http/message/head_builder.h>
#include <squall/http/message/status.h>
#include <squall/ioloop/base/ascii.h>

#include <algorithm>
#include <limits>

namespace squall::http {
namespace {

// A longer head is not kept for the comparison with the next head.
constexpr std::size_t kLongestKept = 2048;
// Memory is reserved for so many fields.
constexpr std::size_t kUsualFields = 12;
// Calls `take` for each element of all fields of the list (RFC 9110, 5.6.1), until it returns false.
template <class Take>
bool for_each_element(const Headers& headers, HeaderId id, Take take) {
  for (const auto [name, value] : headers) {
    if (header_id(name) != id) continue;
    for (std::size_t begin = 0; begin <= value.size();) {
      const std::size_t end = std::min(value.find(',', begin), value.size());
      if (!take(trim(value.substr(begin, end - begin)))) return false;
      begin = end + 1;
    }
  }
  return true;
}

// Whether the body has the coding `chunked` and no other. Empty elements of a list are no codings.
bool is_only_chunked(const Headers& headers) {
  int codings = 0;
  const bool all_chunked =
      for_each_element(headers, HeaderId::transfer_encoding, [&](std::string_view coding) {
        if (!coding.empty()) ++codings;
        return coding.empty() || equals_ignoring_case(coding, "chunked");
      });
  return all_chunked && codings == 1;
}

// The size of the head alone bounds the number of its fields.
constexpr std::size_t kAnyNumber = std::numeric_limits<std::size_t>::max();

}  // namespace

const llhttp_settings_t& ResponseParser::settings() {
  static const llhttp_settings_t instance = [] {
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_header_field = on_header_field;
    settings.on_header_field_complete = on_header_field_complete;
    settings.on_headers_complete = on_headers_complete;
    return settings;
  }();
  return instance;
}

ResponseParser::ResponseParser() {
  llhttp_init(&parser_, HTTP_RESPONSE, &settings());
  parser_.data = this;
  // Only with this flag does llhttp accept folded lines. take_fields() refuses everything else that the
  // flag lets pass.
  llhttp_set_lenient_headers(&parser_, 1);
  // check_status_line() checks the version.
  llhttp_set_lenient_version(&parser_, 1);
}

void ResponseParser::begin(Headers& headers, Asked asked, const Limits& limits) noexcept {
  headers_ = &headers;
  asked_ = asked;
  limits_ = limits;
  state_ = State::head_begin;
  begun_ = false;
  informational_ = 0;
  failure_ = {};
}

void ResponseParser::begin_head() {
  llhttp_reset(&parser_);
  HeadBuilder head(*headers_);
  head.begin();
  head.reserve(kUsualFields);
  trailers_.clear();
  status_ = 0;
  reason_size_ = 0;
  framing_ = Framing::none;
  keep_alive_ = false;
  repeatable_ = false;
  state_ = State::head;
}

// The body of the last response changed only `remaining_`: all other members still describe its head.
bool ResponseParser::repeats(std::string_view bytes) const noexcept {
  const std::string_view last = last_.text();
  return repeatable_ && asked_ == last_asked_ && last.size() < limits_.max_header_size &&
         bytes.starts_with(last);
}

ResponseParser::Result ResponseParser::repeat(std::string_view& bytes) {
  *headers_ = last_;
  bytes.remove_prefix(last_.text().size());
  trailers_.clear();
  remaining_ = content_length_;
  state_ = State::body;
  return Result::head;
}

void ResponseParser::note_repeatable() {
  const std::string_view text = headers_->text();
  // take_fields() has changed the text of a head with folded lines.
  const bool is_as_received = base_ == 0 && std::string_view(data_, text.size()) == text;
  if (framing_ == Framing::chunks || text.size() > kLongestKept || !is_as_received) return;
  last_ = *headers_;
  last_asked_ = asked_;
  repeatable_ = true;
}

ResponseParser::Result ResponseParser::parse(std::string_view& bytes) {
  switch (state_) {
    case State::head_begin:
      if (bytes.empty()) return Result::more;
      begun_ = true;
      if (repeats(bytes)) return repeat(bytes);
      begin_head();
      return parse_head(bytes);
    case State::head: return bytes.empty() ? Result::more : parse_head(bytes);
    case State::body: return framing_ == Framing::chunks ? parse_chunks(bytes) : parse_length(bytes);
    case State::complete: return Result::complete;
    case State::failed: break;
  }
  return Result::failed;
}

ResponseParser::Result ResponseParser::finish() {
  switch (state_) {
    case State::head_begin:
    case State::head: return fail(begun_ ? "Connection closed within the head" : "Connection closed");
    case State::body:
      if (framing_ == Framing::none || framing_ == Framing::end) return complete();
      if (framing_ == Framing::length && remaining_ == 0) return complete();
      return fail("Connection closed within the body");
    case State::complete: return Result::complete;
    case State::failed: break;
  }
  return Result::failed;
}

// ---- The head.

ResponseParser::Result ResponseParser::parse_head(std::string_view& bytes) {
  HeadBuilder head(*headers_);
  const std::string_view feed = bytes.substr(0, limits_.max_header_size - head.text().size());
  base_ = static_cast<std::uint32_t>(head.text().size());
  std::size_t used = 0;
  const llhttp_errno_t error = execute(feed, used);
  head.append_text(feed.substr(0, used));
  bytes.remove_prefix(used);
  if (error == HPE_PAUSED) return end_head();
  if (error != HPE_OK) return fail_as_llhttp_does();
  if (head.text().size() >= limits_.max_header_size) return fail("Response head too large");
  return Result::more;
}

llhttp_errno_t ResponseParser::execute(std::string_view feed, std::size_t& used) {
  if (llhttp_get_errno(&parser_) == HPE_PAUSED) llhttp_resume(&parser_);
  data_ = feed.data();
  const llhttp_errno_t error = llhttp_execute(&parser_, feed.data(), feed.size());
  used =
      error == HPE_OK ? feed.size() : static_cast<std::size_t>(llhttp_get_error_pos(&parser_) - feed.data());
  return error;
}

int ResponseParser::on_header_field(llhttp_t* parser, const char* at, std::size_t size) {
  ResponseParser& me = *static_cast<ResponseParser*>(parser->data);
  const std::uint32_t begin = me.base_ + static_cast<std::uint32_t>(at - me.data_);
  HeadBuilder(*me.headers_).add_name(begin, static_cast<std::uint32_t>(size), kAnyNumber);
  return HPE_OK;
}

// Makes every field an ordinary one for llhttp, whose checks of Content-Length and Transfer-Encoding are for
// requests. choose_framing() has the checks for responses.
int ResponseParser::on_header_field_complete(llhttp_t* parser) {
  parser->header_state = 0;
  return HPE_OK;
}

int ResponseParser::on_headers_complete(llhttp_t*) { return HPE_PAUSED; }

ResponseParser::Result ResponseParser::end_head() {
  const std::string_view text = headers_->text();
  const std::size_t line = text.find("\r\n");
  if (line == text.npos || !check_status_line(text.substr(0, line))) return fail("Malformed status line");
  if (!take_fields(line + 2)) return fail("Malformed header field");
  if (status_ < 200 && status_ != 101) {
    if (++informational_ > kMaxInformational) return fail("Too many informational responses");
    state_ = State::head_begin;
    return Result::informational;
  }
  keep_alive_ = minor_version_ > 0;
  if (headers_->find(HeaderId::connection)) {
    keep_alive_ = keep_alive_ || has_token(*headers_, HeaderId::connection, "keep-alive");
    keep_alive_ = keep_alive_ && !has_token(*headers_, HeaderId::connection, "close");
  }
  if (!choose_framing()) return Result::failed;
  note_repeatable();
  state_ = State::body;
  return Result::head;
}

// `HTTP/1.1 200 OK`. The reason may be missing, and the blank before it too. Any later minor version is read
// as HTTP/1.1 (RFC 9110, 2.5).
bool ResponseParser::check_status_line(std::string_view line) noexcept {
  if (line.size() < kReason - 1 || !line.starts_with("HTTP/1.") || line[8] != ' ') return false;
  if (!is_digit(line[7])) return false;
  minor_version_ = static_cast<std::uint8_t>(line[7] - '0');
  if (line[9] == '0' || !is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11])) return false;
  status_ = static_cast<std::uint16_t>((line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0'));
  if (line.size() == kReason - 1) return true;
  reason_size_ = static_cast<std::uint32_t>(line.size() - kReason);
  return line[12] == ' ' && is_field_text(line.substr(kReason));
}

// llhttp has found the names. This checks that each line is a name, a colon, a value and CRLF, with no
// bytes between two lines. Folded lines become one line (RFC 9112, 5.2).
bool ResponseParser::take_fields(std::size_t begin) {
  HeadBuilder head(*headers_);
  const std::string_view text = head.text();
  const std::size_t count = head.field_count();
  for (std::size_t i = 0; i < count; ++i) {
    const HeadBuilder::Range name = head.name(i);
    const std::size_t end = i + 1 < count ? head.name(i + 1).begin : text.size() - 2;
    const std::size_t colon = name.end();
    if (name.begin != begin || colon + 3 > end || text[colon] != ':') return false;
    if (text[end - 2] != '\r' || text[end - 1] != '\n') return false;
    if (!is_token(text.substr(name.begin, name.size))) return false;
    for (std::size_t at = text.find('\r', colon); at < end - 2; at = text.find('\r', at)) {
      if (text[at + 1] != '\n' || (text[at + 2] != ' ' && text[at + 2] != '\t')) return false;
      head.join_lines(at);
    }
    const std::string_view value = trim(text.substr(colon + 1, end - 2 - (colon + 1)));
    if (!is_field_text(value)) return false;
    head.set_value(i, {static_cast<std::uint32_t>(value.data() - text.data()),
                       static_cast<std::uint32_t>(value.size())});
    begin = end;
  }
  head.end();
  return text.size() == begin + 2;
}

// RFC 9112, 6.3. An ambiguous head fails, unless the response has no body whatever its fields are.
bool ResponseParser::choose_framing() {
  const bool is_tunnel = asked_ == Asked::tunnel && status_ < 300;
  const bool has_encoding = headers_->find(HeaderId::transfer_encoding).has_value();
  const bool has_length = headers_->find(HeaderId::content_length).has_value();
  const bool is_valid = !has_length || take_content_length();
  if (asked_ == Asked::head || is_tunnel || status_forbids_body(status_)) {
    framing_ = Framing::none;
    // A sender that contradicts itself may send a body after all, which the next response would begin with.
    const bool has_body = status_ == 204 && (has_encoding || (has_length && content_length_ > 0));
    if (!is_tunnel && (!is_valid || has_body || (has_encoding && has_length))) keep_alive_ = false;
    return true;
  }
  if (!is_valid) {
    fail("Invalid Content-Length");
    return false;
  }
  if (has_encoding && has_length) {
    fail("Both Transfer-Encoding and Content-Length");
    return false;
  }
  if (has_encoding) {
    if (!is_only_chunked(*headers_)) {
      fail("Unsupported or invalid Transfer-Encoding");
      return false;
    }
    framing_ = Framing::chunks;
    chunks_.begin(limits_.max_header_size, ChunkedDecoder::Rules::response);
    chunks_.set_max_size(std::nullopt);
    // HTTP/1.0 has no chunks: such a connection is closed behind the response (RFC 9112, 6.1).
    if (minor_version_ == 0) keep_alive_ = false;
  } else if (has_length) {
    framing_ = Framing::length;
    remaining_ = content_length_;
  } else {
    framing_ = Framing::end;
  }
  return true;
}

// Several equal lengths, in one field or in more, are one length (RFC 9112, 6.3).
bool ResponseParser::take_content_length() noexcept {
  std::optional<std::uint64_t> length;
  const bool is_valid = for_each_element(*headers_, HeaderId::content_length, [&](std::string_view element) {
    const std::optional<std::uint64_t> next = parse_content_length(element);
    if (!next || next != length.value_or(*next)) return false;
    length = next;
    return true;
  });
  if (is_valid) content_length_ = *length;
  return is_valid;
}

// ---- The body.

ResponseParser::Result ResponseParser::parse_length(std::string_view& bytes) noexcept {
  if (framing_ == Framing::none || (framing_ == Framing::length && remaining_ == 0)) return complete();
  if (bytes.empty()) return Result::more;
  piece_ = bytes;
  if (framing_ == Framing::length) {
    piece_ = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, bytes.size())));
    remaining_ -= piece_.size();
  }
  bytes.remove_prefix(piece_.size());
  return Result::body;
}

ResponseParser::Result ResponseParser::parse_chunks(std::string_view& bytes) {
  switch (chunks_.decode(bytes, piece_)) {
    case ChunkedDecoder::Result::more: return Result::more;
    case ChunkedDecoder::Result::piece: return Result::body;
    case ChunkedDecoder::Result::failed: return fail(chunks_.refusal().reason);
    case ChunkedDecoder::Result::end: break;
  }
  chunks_.move_trailers_to(trailers_);
  return complete();
}

ResponseParser::Result ResponseParser::complete() noexcept {
  state_ = State::complete;
  return Result::complete;
}

ResponseParser::Result ResponseParser::fail(std::string_view reason) noexcept {
  state_ = State::failed;
  failure_ = reason;
  return Result::failed;
}

ResponseParser::Result ResponseParser::fail_as_llhttp_does() noexcept {
  switch (llhttp_get_errno(&parser_)) {
    case HPE_INVALID_CONSTANT: return fail("Not an HTTP response");
    case HPE_INVALID_VERSION: return fail("Not a response of HTTP/1");
    default: break;
  }
  const char* const reason = llhttp_get_error_reason(&parser_);
  return fail(reason && *reason ? reason : "Malformed HTTP message");
}

}  // namespace squall::http
