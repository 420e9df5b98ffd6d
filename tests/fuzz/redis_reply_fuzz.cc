// Replies of Redis. The first byte of an input selects the limits, the second one the pieces. For each way to
// cut the bytes the parser gives the same as a slow, recursive one that has all bytes at hand.

#include <squall/redis/reply_parser.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "fuzz/fuzz.h"

namespace squall::redis {
namespace {

// The replies in their order, each as text, and how the bytes end: `!` a fault, `.` anything else.
struct Outcome {
  std::string replies;
  char end = '.';

  void add(const Value& value, bool is_push) {
    // to_string() shows some types alike.
    replies += is_push ? "push " : "reply ";
    replies += value.type_name();
    replies += to_string(value) + "\n";
  }
  bool operator==(const Outcome&) const = default;
};

struct Fault {};
struct More {};

class Obvious {
 public:
  Obvious(std::string_view bytes, const ReplyLimits& limits) : rest_(bytes), limits_(limits) {}

  Outcome read_all() {
    Outcome outcome;
    try {
      while (!rest_.empty()) {
        before_ = rest_.size();
        items_ = 0;
        is_push_ = false;
        const Value value = read(0);
        outcome.add(value, is_push_);
      }
    } catch (const Fault&) {
      outcome.end = '!';
    } catch (const More&) {
    }
    return outcome;
  }

 private:
  // The parser finds an exceeded limit before it has all bytes; so does this one.
  std::string_view line() {
    const std::size_t end = rest_.find('\n');
    const std::size_t size = end == std::string_view::npos ? rest_.size() : end + 1;
    if (size > limits_.max_line || used() + size > limits_.max_reply) throw Fault();
    if (end == std::string_view::npos) throw More();
    const std::string_view all = rest_.substr(0, size);
    rest_.remove_prefix(size);
    if (size < 2 || all[size - 2] != '\r' || all.substr(0, size - 2).find('\r') != std::string_view::npos)
      throw Fault();
    if (size == 2) throw Fault();
    return all.substr(0, size - 2);
  }
  std::size_t used() const { return before_ - rest_.size(); }

  static bool is_integer(std::string_view text) {
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  }
  static std::int64_t integer(std::string_view text) {
    if (!is_integer(text)) throw Fault();
    errno = 0;
    const long long number = std::strtoll(std::string(text).c_str(), nullptr, 10);
    if (errno == ERANGE) throw Fault();
    return number;
  }
  static double real(std::string_view text) {
    if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) throw Fault();
    if (std::isfinite(number)) return number;
    if (text.starts_with('-')) text.remove_prefix(1);
    if (text != "inf" && text != "nan") throw Fault();
    return number;
  }
  static std::size_t length(std::string_view text) {
    const std::int64_t number = integer(text);
    if (number < 0) throw Fault();
    return static_cast<std::size_t>(number);
  }

  Value string(char type, std::string_view text) {
    if (type == '$' && text == "-1") return Value();
    const std::size_t size = length(text);
    if (size > limits_.max_string || used() + size > limits_.max_reply) throw Fault();
    if (used() + std::min(size + 2, rest_.size()) > limits_.max_reply) throw Fault();
    if (rest_.size() < size + 2) throw More();
    std::string bytes(rest_.substr(0, size));
    const bool is_ended = rest_.substr(size, 2) == "\r\n";
    rest_.remove_prefix(size + 2);
    if (!is_ended) throw Fault();
    if (type == '!') return Value{Error{bytes}};
    if (type == '$') return Value{bytes};
    if (bytes.size() < 4 || bytes[3] != ':') throw Fault();
    return Value{bytes.substr(4)};
  }

  Value aggregate(char type, std::string_view text, std::size_t depth) {
    if (type == '*' && text == "-1") return Value();
    if (type == '>' && depth > 0) throw Fault();
    const std::size_t factor = type == '%' || type == '|' ? 2 : 1;
    const std::size_t count = length(text);
    if (count > (limits_.max_items - items_) / factor || depth == limits_.max_depth) throw Fault();
    items_ += count * factor;
    std::vector<Value> items;
    for (std::size_t i = 0; i < count * factor; ++i) items.push_back(read(depth + 1));
    if (type == '|') return read(depth);
    if (type == '~') return Value{Set{items}};
    if (type == '>') is_push_ = true;
    if (type != '%') return Value{Array{items}};
    Map map;
    for (std::size_t i = 0; i < items.size(); i += 2) map.items.emplace_back(items[i], items[i + 1]);
    return Value{map};
  }

  Value read(std::size_t depth) {
    const std::string_view all = line();
    const char type = all[0];
    const std::string_view text = all.substr(1);
    if (type == '+') return Value{std::string(text)};
    if (type == '-') return Value{Error{std::string(text)}};
    if (type == ':') return Value{integer(text)};
    if (type == ',') return Value{real(text)};
    if (type == '(' && is_integer(text)) return Value{BigNumber{std::string(text)}};
    if (type == '#' && (text == "t" || text == "f")) return Value{text == "t"};
    if (type == '_' && text.empty()) return Value();
    if (type == '$' || type == '!' || type == '=') return string(type, text);
    if (type == '*' || type == '~' || type == '%' || type == '|' || type == '>')
      return aggregate(type, text, depth);
    throw Fault();
  }

  std::string_view rest_;
  ReplyLimits limits_;
  std::size_t before_ = 0;
  std::size_t items_ = 0;
  bool is_push_ = false;
};

// Passes copies of exactly the size of each piece, so that AddressSanitizer finds a read beyond it.
Outcome parse(std::string_view input, const ReplyLimits& limits,
              const std::function<std::size_t()>& next_size) {
  ReplyParser parser(limits);
  Outcome outcome;
  while (!input.empty()) {
    const std::string piece(input.substr(0, next_size()));
    input.remove_prefix(piece.size());
    std::string_view bytes = piece;
    for (;;) {
      const std::size_t before = bytes.size();
      const ReplyParser::Result result = parser.parse(bytes);
      FUZZ_CHECK(bytes.size() <= before);
      if (result == ReplyParser::Result::failed) {
        FUZZ_CHECK(!parser.fault().empty());
        outcome.end = '!';
        break;
      }
      FUZZ_CHECK(outcome.end == '.');
      if (result == ReplyParser::Result::more) {
        FUZZ_CHECK(bytes.empty());
        break;
      }
      outcome.add(parser.reply().value, parser.reply().is_push);
    }
  }
  return outcome;
}

void check(std::string_view input) {
  if (input.size() < 2) return;
  const auto choice = static_cast<unsigned char>(input[0]);
  const std::uint32_t seed = static_cast<unsigned char>(input[1]);
  input.remove_prefix(2);
  ReplyLimits limits;
  if (choice & 1) limits.max_line = 20;
  if (choice & 2) limits.max_string = 10;
  if (choice & 4) limits.max_items = 5;
  if (choice & 8) limits.max_depth = 2;
  if (choice & 16) limits.max_reply = 40;
  std::uint32_t state = seed;
  const Outcome expected = Obvious(input, limits).read_all();
  FUZZ_CHECK(parse(input, limits, [&] { return input.size(); }) == expected);
  FUZZ_CHECK(parse(input, limits, [] { return std::size_t{1}; }) == expected);
  FUZZ_CHECK(parse(input, limits, [&] {
               state = state * 1664525 + 1013904223;
               return std::size_t{(state >> 24) % 20 + 1};
             }) == expected);
}

}  // namespace
}  // namespace squall::redis

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  squall::redis::check(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
