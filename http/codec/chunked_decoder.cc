#include <squall/http/codec/chunked_decoder.h>

#include <squall/ioloop/base/ascii.h>

#include <algorithm>
#include <limits>

namespace squall::http {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Whether a trailer line, without its CRLF, is a field: a name, a colon right behind it, and a value.
bool is_field_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  return colon != line.npos && is_token(line.substr(0, colon)) && is_field_text(line.substr(colon + 1));
}

}  // namespace

void ChunkedDecoder::begin(std::size_t max_trailers, Rules rules) noexcept {
  state_ = State::size_begin;
  rules_ = rules;
  size_ = total_ = 0;
  line_ = excess_ = 0;
  max_trailers_ = max_trailers;
  trailers_.clear();
  trailer_line_ = 0;
  refusal_ = {};
}

ChunkedDecoder::Result ChunkedDecoder::decode(std::string_view& bytes, std::string_view& piece) {
  while (state_ != State::data) {
    const Result result = decode_framing(bytes);
    if (state_ != State::data) return result;
  }
  if (bytes.empty()) return Result::more;
  piece = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(size_, bytes.size())));
  bytes.remove_prefix(piece.size());
  size_ -= piece.size();
  if (size_ == 0) state_ = State::data_cr;
  return Result::piece;
}

// Decodes size lines, chunk ends and trailers, up to the content of the next chunk, the end of the body, or
// the end of the bytes.
ChunkedDecoder::Result ChunkedDecoder::decode_framing(std::string_view& bytes) {
  while (!bytes.empty() && state_ != State::data) {
    if (state_ == State::end) return Result::end;
    if (state_ == State::failed) return Result::failed;
    if (state_ == State::trailer) {
      const Result result = take_trailer(bytes);
      if (result != Result::piece) return result;
      continue;
    }
    const char c = bytes.front();
    bytes.remove_prefix(1);
    switch (state_) {
      case State::data_cr:
        if (c != '\r') return fail({400, "Expected CRLF after chunk data"});
        state_ = State::data_lf;
        break;
      case State::data_lf:
        if (c != '\n') return fail({400, "Expected CRLF after chunk data"});
        state_ = State::size_begin;
        size_ = 0;
        line_ = 0;
        break;
      default:
        if (!take_size(c)) return Result::failed;
    }
  }
  return state_ == State::end ? Result::end : state_ == State::failed ? Result::failed : Result::more;
}

// Decodes one byte of a size line.
bool ChunkedDecoder::take_size(char c) noexcept {
  if (++line_ > kMaxLine) return fail({400, "Chunk size line too long"}), false;
  switch (state_) {
    case State::size_begin:
    case State::size:
      if (const int digit = hex_value(c); digit >= 0) {
        if (size_ > std::numeric_limits<std::uint64_t>::max() >> 4)
          return fail({400, "Chunk size overflow"}), false;
        size_ = size_ << 4 | static_cast<unsigned>(digit);
        state_ = State::size;
        return true;
      }
      if (state_ == State::size) state_ = after_size(c);
      if (state_ == State::size_begin || state_ == State::failed)
        return fail({400, "Invalid character in chunk size"}), false;
      return true;
    case State::size_lf:
      if (c != '\n') return fail({400, "Expected LF after chunk size"}), false;
      return end_size_line();
    default:
      state_ = after_size(c);
      if (state_ == State::failed) return fail({400, "Invalid character in chunk extension"}), false;
      return true;
  }
}

// The state behind `c`, a byte of a size line behind the digits: blanks and extensions (RFC 9112, 7.1.1).
ChunkedDecoder::State ChunkedDecoder::after_size(char c) const noexcept {
  const bool is_strict = rules_ == Rules::request;
  const State extension = is_strict ? State::extension : State::any;
  switch (state_) {
    case State::size:
    case State::quote_end:
    case State::token:
      if (state_ == State::token && is_token_char(c)) return State::token;
      if (c == '\r') return State::size_lf;
      [[fallthrough]];
    case State::blank:
      if (is_blank(c)) return State::blank;
      if (c == '\r' && !is_strict) return State::size_lf;
      return c == ';' ? extension : State::failed;
    case State::extension:
      if (is_blank(c)) return State::extension;
      return is_token_char(c) ? State::name : State::failed;
    case State::name:
      if (is_token_char(c)) return State::name;
      if (c == '\r') return State::size_lf;
      [[fallthrough]];
    case State::name_blank:
      if (is_blank(c)) return State::name_blank;
      if (c == '=') return State::value;
      return c == ';' ? State::extension : State::failed;
    case State::value:
      if (is_blank(c)) return State::value;
      if (c == '"') return State::quoted;
      return is_token_char(c) ? State::token : State::failed;
    case State::quoted:
      if (c == '"') return State::quote_end;
      if (c == '\\') return State::escaped;
      [[fallthrough]];
    case State::escaped: return is_field_text({&c, 1}) ? State::quoted : State::failed;
    case State::any:
      if (c == '\r') return State::size_lf;
      return is_field_text({&c, 1}) ? State::any : State::failed;
    default: return State::failed;
  }
}

bool ChunkedDecoder::end_size_line() noexcept {
  if (size_ == 0) {
    state_ = State::trailer;
    return true;
  }
  if (size_ > max_size_ || total_ > max_size_ - size_) return fail({413, "Body too large"}), false;
  total_ += size_;
  // The size line, and the CRLF behind the chunk.
  const std::uint64_t due = 16 + size_;
  excess_ += line_ + 2;
  excess_ -= static_cast<std::size_t>(std::min<std::uint64_t>(excess_, due));
  if (excess_ > kMaxExcess) return fail({400, "Chunk extensions too long"}), false;
  state_ = State::data;
  return true;
}

// Takes the rest of a trailer line, or as much of the line as `bytes` has. Result::piece: the line is
// complete.
ChunkedDecoder::Result ChunkedDecoder::take_trailer(std::string_view& bytes) {
  const std::size_t end = std::min(bytes.find('\n'), bytes.size() - 1) + 1;
  const std::size_t room = max_trailers_ - trailers_.size();
  const std::string_view taken = bytes.substr(0, std::min(end, room));
  trailers_.append(taken);
  bytes.remove_prefix(taken.size());
  if (taken.empty() || taken.back() != '\n')
    return taken.size() < end ? fail({431, "Trailers too large"}) : Result::more;
  const std::string_view line = std::string_view(trailers_).substr(trailer_line_);
  if (line == "\r\n") {
    trailers_.resize(trailer_line_);
    state_ = State::end;
    return Result::end;
  }
  if (!line.ends_with("\r\n")) return fail({400, "Malformed trailer"});
  const std::string_view field = line.substr(0, line.size() - 2);
  if (!is_field_line(field) && !join_folded(field)) return fail({400, "Malformed trailer"});
  trailer_line_ = trailers_.size();
  return Result::piece;
}

// Joins a line that begins with a blank to the trailer field before it. False if the line is no such
// continuation.
bool ChunkedDecoder::join_folded(std::string_view line) noexcept {
  if (rules_ == Rules::request || trailer_line_ == 0) return false;
  if (line.empty() || !is_blank(line.front())) return false;
  if (!is_field_text(line)) return false;
  trailers_[trailer_line_ - 2] = trailers_[trailer_line_ - 1] = ' ';
  return true;
}

void ChunkedDecoder::move_trailers_to(Headers& trailers) {
  std::string_view rest = trailers_;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\r'));
    rest.remove_prefix(line.size() + 2);
    const std::size_t colon = line.find(':');
    trailers.add(line.substr(0, colon), trim(line.substr(colon + 1)));
  }
  std::string().swap(trailers_);
}

ChunkedDecoder::Result ChunkedDecoder::fail(const Refusal& refusal) noexcept {
  refusal_ = refusal;
  state_ = State::failed;
  return Result::failed;
}

}  // namespace squall::http
