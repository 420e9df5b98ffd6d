#include <squall/redis/reply_parser.h>

#include <squall/ioloop/base/read_number.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <system_error>
#include <utility>

namespace squall::redis {
namespace {

template <class Number>
std::optional<Number> number_from(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  Number number{};
  const auto [stop, error] = read_number(text, number);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

// A double that is too large or too small for the type is an error of read_number(); Redis sends none.
std::optional<double> double_from(std::string_view text) {
  const std::optional<double> number = number_from<double>(text);
  // read_number() also takes `nan(...)` and `infinity`.
  if (number && !std::isfinite(*number) && text != "inf" && text != "-inf" && text != "+inf" &&
      text != "nan" && text != "-nan")
    return std::nullopt;
  return number;
}

bool is_big_number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// The value of a reply that is one line; nullopt if it is malformed.
std::optional<Value> line_value(char type, std::string_view text) {
  switch (type) {
    case '+': return Value{std::string(text)};
    case '-': return Value{Error{std::string(text)}};
    case ':':
      if (const auto number = number_from<std::int64_t>(text)) return Value{*number};
      return std::nullopt;
    case ',':
      if (const auto number = double_from(text)) return Value{*number};
      return std::nullopt;
    case '_': return text.empty() ? std::optional(Value{}) : std::nullopt;
    case '#': return text == "t" || text == "f" ? std::optional(Value{text == "t"}) : std::nullopt;
    default: return is_big_number(text) ? std::optional(Value{BigNumber{std::string(text)}}) : std::nullopt;
  }
}

Value aggregate(char type, std::vector<Value>&& items) {
  if (type == '~') return Value{Set{std::move(items)}};
  if (type != '%') return Value{Array{std::move(items)}};
  Map map;
  map.items.reserve(items.size() / 2);
  for (std::size_t i = 0; i + 1 < items.size(); i += 2)
    map.items.emplace_back(std::move(items[i]), std::move(items[i + 1]));
  return Value{std::move(map)};
}

// What arrived in place of a value, for an error message: its start, with other bytes than ASCII as `?`.
std::string shown(std::string_view text) {
  std::string start(text.substr(0, 40));
  for (char& c : start)
    if (c < ' ' || c > '~') c = '?';
  return start;
}

constexpr std::size_t kMaxReserve = 64 * 1024;

}  // namespace

ReplyParser::Result ReplyParser::parse(std::string_view& bytes) {
  if (is_complete_) {
    is_complete_ = false;
    used_ = items_ = 0;
    reply_ = Reply();
  }
  while (state_ != State::failed && !bytes.empty()) {
    const bool is_going = state_ == State::line ? read_line(bytes) : read_string(bytes);
    if (is_complete_) return Result::reply;
    if (!is_going) break;
  }
  return state_ == State::failed ? Result::failed : Result::more;
}

// False if the line's end is missing, or the parser has failed; so for read_string().
bool ReplyParser::read_line(std::string_view& bytes) {
  const std::size_t end = bytes.find('\n');
  const std::string_view piece = bytes.substr(0, end == std::string_view::npos ? end : end + 1);
  if (piece.size() > limits_.max_line - line_.size())
    return fail(fmt::format("a line exceeds the limit of {} bytes", limits_.max_line));
  if (!use(piece.size())) return false;
  bytes.remove_prefix(piece.size());
  if (end == std::string_view::npos || !line_.empty()) line_ += piece;
  if (end == std::string_view::npos) return false;
  if (line_.empty()) return take_line(piece);
  const std::string line = std::exchange(line_, {});
  return take_line(line);
}

bool ReplyParser::take_line(std::string_view line) {
  if (!line.ends_with("\r\n") || line.find('\r') != line.size() - 2)
    return fail("a line without CR LF at its end");
  if (line.size() == 2) return fail("an empty line in place of a reply");
  type_ = line[0];
  const std::string_view text = line.substr(1, line.size() - 3);
  switch (type_) {
    case '$':
    case '!':
    case '=': return begin_string(text);
    case '*':
    case '~':
    case '%':
    case '|':
    case '>': return begin_aggregate(text);
    case '+':
    case '-':
    case ':':
    case ',':
    case '_':
    case '#':
    case '(': break;
    default:
      return fail(fmt::format("a reply of the unknown type 0x{:02x}", static_cast<unsigned char>(type_)));
  }
  std::optional<Value> value = line_value(type_, text);
  if (!value) return fail(fmt::format("\"{}\" is not a value of the type '{}'", shown(text), type_));
  return add(*std::move(value));
}

bool ReplyParser::begin_string(std::string_view length) {
  if (type_ == '$' && length == "-1") return add(Value());
  std::size_t size = 0;
  if (!read_count(length, size)) return false;
  if (size > limits_.max_string)
    return fail(fmt::format("a string of {} bytes exceeds the limit of {}", size, limits_.max_string));
  if (size > limits_.max_reply - used_)
    return fail(fmt::format("a reply exceeds the limit of {} bytes", limits_.max_reply));
  string_size_ = size;
  string_.clear();
  string_.reserve(std::min(size + 2, kMaxReserve));
  state_ = State::string;
  return true;
}

bool ReplyParser::read_string(std::string_view& bytes) {
  const std::string_view piece = bytes.substr(0, string_size_ + 2 - string_.size());
  if (!use(piece.size())) return false;
  bytes.remove_prefix(piece.size());
  string_ += piece;
  return string_.size() == string_size_ + 2 && end_string();
}

bool ReplyParser::end_string() {
  if (!string_.ends_with("\r\n")) return fail("a string without CR LF at its end");
  string_.resize(string_size_);
  state_ = State::line;
  if (type_ == '!') return add(Value{Error{std::exchange(string_, {})}});
  if (type_ == '=') {  // `txt:` or `mkd:`, and the text
    if (string_.size() < 4 || string_[3] != ':') return fail("a verbatim string without its format");
    string_.erase(0, 4);
  }
  return add(Value{std::exchange(string_, {})});
}

bool ReplyParser::begin_aggregate(std::string_view length) {
  if (type_ == '*' && length == "-1") return add(Value());
  if (type_ == '>' && !levels_.empty()) return fail("a push inside another reply");
  std::size_t count = 0;
  if (!read_count(length, count)) return false;
  const std::size_t factor = type_ == '%' || type_ == '|' ? 2 : 1;
  if (count > (limits_.max_items - items_) / factor)
    return fail(fmt::format("a reply exceeds the limit of {} items", limits_.max_items));
  if (levels_.size() == limits_.max_depth)
    return fail(fmt::format("aggregates exceed the limit of {} levels", limits_.max_depth));
  items_ += count * factor;
  levels_.push_back({type_, count * factor});
  return count > 0 || end_level();
}

// The last level has all its items.
bool ReplyParser::end_level() {
  Level level = std::move(levels_.back());
  levels_.pop_back();
  // An attribute describes the value behind it.
  if (level.type == '|') return true;
  reply_.is_push = level.type == '>';
  return add(aggregate(level.type, std::move(level.items)));
}

// Adds a value to the aggregates that wait for it. Returns false if it completes the reply.
bool ReplyParser::add(Value value) {
  if (levels_.empty()) {
    reply_.value = std::move(value);
    is_complete_ = true;
    return false;
  }
  levels_.back().items.push_back(std::move(value));
  // Ending a level adds its aggregate to the level above, so the nesting of these calls is at most max_depth.
  return --levels_.back().missing > 0 || end_level();
}

bool ReplyParser::read_count(std::string_view text, std::size_t& count) {
  const auto number = number_from<std::int64_t>(text);
  if (!number || *number < 0) return fail(fmt::format("\"{}\" is not a length", shown(text)));
  count = static_cast<std::size_t>(*number);
  return true;
}

bool ReplyParser::use(std::size_t bytes) {
  if (bytes > limits_.max_reply - used_)
    return fail(fmt::format("a reply exceeds the limit of {} bytes", limits_.max_reply));
  used_ += bytes;
  return true;
}

bool ReplyParser::fail(std::string why) {
  state_ = State::failed;
  fault_ = std::move(why);
  line_ = string_ = std::string();
  levels_.clear();
  return false;
}

}  // namespace squall::redis
