#include <squall/http/message/multipart.h>

#include <squall/http/message/header_lines.h>
#include <squall/http/message/header_params.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/utf8.h>

#include <string.h>

#include <algorithm>

namespace squall::http {
namespace {

constexpr std::string_view kEmptyLine = "\r\n\r\n";
// A part's headers are copied in steps of that size until their end is found: of a piece with many parts, a
// larger step would be copied and searched again for each part.
constexpr std::size_t kHeadStep = 512;

// RFC 2046, 5.1.1.
bool is_boundary(std::string_view text) {
  if (text.empty() || text.size() > 70 || text.back() == ' ') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_alpha(c) || is_digit(c) || (c != '\0' && detail::is_one_of(c, "'()+_,-./:=? "));
  });
}

// memmem() of glibc takes linear time for any text, 7 GB/s here; std::string_view::find() stops at every CR
// of a binary file.
std::size_t find(std::string_view text, std::string_view what) {
  const void* at = ::memmem(text.data(), text.size(), what.data(), what.size());
  return at == nullptr ? text.npos : static_cast<std::size_t>(static_cast<const char*>(at) - text.data());
}

std::size_t common_prefix(std::string_view a, std::string_view b) {
  const auto [end, unused] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<std::size_t>(end - a.begin());
}

}  // namespace

std::string_view describe(MultipartFault fault) noexcept {
  switch (fault) {
    case MultipartFault::none: return "no fault";
    case MultipartFault::disabled: return "multipart/form-data parsing is disabled";
    case MultipartFault::wrong_type: return "Invalid content type";
    case MultipartFault::no_boundary: return "multipart boundary not found";
    case MultipartFault::no_final_boundary: return "no final boundary found";
    case MultipartFault::malformed: return "Invalid multipart/form-data";
    case MultipartFault::missing_headers: return "multipart/form-data missing headers";
    case MultipartFault::missing_name: return "multipart/form-data missing name";
    case MultipartFault::repeated_parameter: return "repeated name or filename";
    case MultipartFault::invalid_header: return "Invalid part header";
    case MultipartFault::invalid_utf8: return "part header is not UTF-8";
    case MultipartFault::header_too_large: return "part header too large";
    case MultipartFault::too_many_parts: return "multipart/form-data has too many parts";
    case MultipartFault::too_large: return "multipart/form-data too large";
  }
  return "";
}

std::optional<std::string> multipart_boundary(std::string_view content_type) {
  const HeaderParams header = parse_header(content_type);
  const std::string* boundary = header.find("boundary");
  if (boundary == nullptr || !is_boundary(*boundary)) return std::nullopt;
  return *boundary;
}

MultipartParser::MultipartParser(std::string_view boundary, const MultipartLimits& limits)
    : limits_(limits), delimiter_("\r\n--") {
  delimiter_ += boundary;
  // A huge limit must not overflow in sums.
  limits_.max_part_header_size = std::min(limits_.max_part_header_size, std::size_t{1} << 30);
  expect_boundary();
  if (!limits_.enabled) {
    fail(MultipartFault::disabled);
  } else if (!is_boundary(boundary)) {
    fail(MultipartFault::no_boundary);
  }
}

MultipartParser::Event MultipartParser::fail(MultipartFault fault) noexcept {
  fault_ = fault;
  state_ = State::failed;
  data_ = {};
  return Event::failed;
}

MultipartParser::Event MultipartParser::next(std::string_view& bytes) {
  data_ = {};
  if (state_ == State::failed) return Event::failed;
  if (state_ == State::done) {
    bytes = {};
    return Event::more;
  }
  if (limits_.max_size && bytes.size() > *limits_.max_size - size_) return fail(MultipartFault::too_large);
  const std::size_t before = bytes.size();
  Event event = state_ == State::part_end ? body(bytes) : Event::more;
  while (event == Event::more && !bytes.empty()) {
    switch (state_) {
      case State::preamble: event = preamble(bytes); break;
      case State::line: event = line(bytes); break;
      case State::header: event = header(bytes); break;
      default: event = body(bytes); break;
    }
  }
  size_ += before - bytes.size();
  return event;
}

bool MultipartParser::feed(std::string_view bytes, MultipartDelegate& delegate) {
  for (;;) {
    switch (next(bytes)) {
      case Event::more: return true;
      case Event::part: delegate.part_begin(part_); break;
      case Event::data: delegate.part_data(data_); break;
      case Event::part_end: delegate.part_end(); break;
      case Event::finished: delegate.finish(); break;
      case Event::failed: return false;
    }
  }
}

bool MultipartParser::end() noexcept {
  if (state_ != State::done && state_ != State::failed) fail(MultipartFault::no_final_boundary);
  return state_ == State::done;
}

// Consumes bytes up to the end of the delimiter, or all of them, and sets data_ to those before the
// delimiter. Returns whether the delimiter was found. A prefix of the delimiter at the end of the bytes is
// stored as its length, matched_.
bool MultipartParser::find_boundary(std::string_view& bytes) {
  if (matched_ > 0) {
    const std::size_t same = common_prefix(bytes, std::string_view(delimiter_).substr(matched_));
    if (matched_ + same == delimiter_.size()) {
      bytes.remove_prefix(same);
      matched_ = 0;
      return true;
    }
    if (same == bytes.size()) {
      matched_ += same;
      bytes = {};
      return false;
    }
    data_ = std::string_view(delimiter_).substr(unreal_, matched_ - unreal_);
    matched_ = 0;
    unreal_ = 0;
    if (!data_.empty()) return false;
  }
  const std::size_t at = find(bytes, delimiter_);
  if (at != bytes.npos) {
    data_ = bytes.substr(0, at);
    bytes.remove_prefix(at + delimiter_.size());
    return true;
  }
  // A boundary contains no CR, so only the last CR can begin the delimiter.
  const std::string_view last = bytes.substr(bytes.size() - std::min(bytes.size(), delimiter_.size() - 1));
  const std::size_t cr = last.rfind('\r');
  if (cr != last.npos && delimiter_.starts_with(last.substr(cr))) matched_ = last.size() - cr;
  unreal_ = 0;
  data_ = bytes.substr(0, bytes.size() - matched_);
  bytes = {};
  return false;
}

MultipartParser::Event MultipartParser::preamble(std::string_view& bytes) {
  const bool found = find_boundary(bytes);
  preamble_ += data_.size();
  data_ = {};
  if (preamble_ > limits_.max_preamble_size) return fail(MultipartFault::missing_headers);
  if (found) state_ = State::line;
  return Event::more;
}

MultipartParser::Event MultipartParser::line(std::string_view& bytes) {
  const char c = bytes.front();
  bytes.remove_prefix(1);
  if (tail_ == Tail::start && c == '-') {
    tail_ = Tail::hyphen;
  } else if (tail_ == Tail::hyphen && c == '-') {
    state_ = State::done;
    return Event::finished;
  } else if ((tail_ == Tail::start || tail_ == Tail::blanks) && (c == ' ' || c == '\t')) {
    tail_ = Tail::blanks;
  } else if ((tail_ == Tail::start || tail_ == Tail::blanks) && c == '\r') {
    tail_ = Tail::cr;
  } else if (tail_ == Tail::cr && c == '\n') {
    if (++pieces_ > limits_.max_parts) return fail(MultipartFault::too_many_parts);
    tail_ = Tail::start;
    state_ = State::header;
  } else {
    // A bare LF does not end a line, so no headers follow (HUT-84).
    return fail(c == '\n' ? MultipartFault::missing_headers : MultipartFault::malformed);
  }
  return Event::more;
}

MultipartParser::Event MultipartParser::header(std::string_view& bytes) {
  const std::size_t before = head_.size();
  const std::size_t room = limits_.max_part_header_size + kEmptyLine.size() - before;
  head_ += bytes.substr(0, std::min(room, kHeadStep));
  const auto use = [&](std::size_t size) {
    bytes.remove_prefix(size - before);
    head_.resize(size);
  };
  // A boundary directly behind another encloses an empty piece, which has no events (HUT-63).
  if (head_.starts_with(dash_boundary())) {
    use(dash_boundary().size());
    head_.clear();
    state_ = State::line;
    return Event::more;
  }
  // A search begins where the text may have begun in the bytes before.
  const std::size_t end = head_.find(kEmptyLine, before - std::min(before, kEmptyLine.size() - 1));
  const std::size_t boundary = head_.find(delimiter_, before - std::min(before, delimiter_.size() - 1));
  if (head_.starts_with("\r\n") || boundary < end) return fail(MultipartFault::missing_headers);
  if (end == head_.npos) {
    if (head_.size() == limits_.max_part_header_size + kEmptyLine.size())
      return fail(MultipartFault::header_too_large);
    use(head_.size());
    return Event::more;
  }
  use(end + kEmptyLine.size());
  head_.resize(end + 2);
  const MultipartFault fault = read_header();
  head_.clear();
  if (fault != MultipartFault::none) return fail(fault);
  state_ = State::body;
  // The CRLF of the empty line may belong to a boundary: then the part is empty.
  expect_boundary();
  return Event::part;
}

MultipartFault MultipartParser::read_header() {
  part_ = {};
  if (!is_utf8(head_)) return MultipartFault::invalid_utf8;
  if (!parse_header_lines(head_, part_.headers).empty()) return MultipartFault::invalid_header;
  const std::vector<std::string_view> dispositions = part_.headers.get_list("Content-Disposition");
  if (dispositions.size() != 1) return MultipartFault::malformed;
  const HeaderParams disposition = parse_header(dispositions[0]);
  if (!equals_ignoring_case(disposition.value, "form-data")) return MultipartFault::malformed;
  for (const auto& [name, value] : disposition.params) {
    if (name != "name" && name != "filename") continue;
    std::string& place = name == "name" ? part_.name : part_.filename;
    if (disposition.find(name) != &value) return MultipartFault::repeated_parameter;
    place = value;
  }
  if (part_.name.empty()) return MultipartFault::missing_name;
  part_.content_type =
      part_.headers.find(HeaderId::content_type).value_or(part_.is_file() ? "application/unknown" : "");
  return MultipartFault::none;
}

MultipartParser::Event MultipartParser::body(std::string_view& bytes) {
  if (state_ == State::body) {
    if (find_boundary(bytes)) state_ = State::part_end;
    if (!data_.empty()) return Event::data;
    if (state_ == State::body) return Event::more;
  }
  state_ = State::line;
  return Event::part_end;
}

}  // namespace squall::http
