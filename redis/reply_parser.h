#pragma once

#include <squall/redis/value.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace squall::redis {

// Limits of one reply. The defaults of strings and replies are above what Redis itself stores.
struct ReplyLimits {
  std::size_t max_line = 64 * 1024;            // bytes, with the line's end
  std::size_t max_string = 512 * 1024 * 1024;  // bytes
  std::size_t max_items = 4 * 1024 * 1024;     // of the reply and of all aggregates in it together
  std::size_t max_depth = 32;                  // aggregates in aggregates
  std::size_t max_reply = 1024 * 1024 * 1024;  // bytes, with attributes
};

struct Reply {
  Value value{};
  bool is_push = false;  // answers no command; `value` is an Array
};

// Parses replies of RESP2 and RESP3 from bytes that arrive in pieces of any size. Attributes are skipped.
// Memory grows with the bytes that have arrived, not with the lengths that they announce.
//
//   state  | waits for                             | ended by           | next
//   line   | the line with a type and its value    | its end            | line, string; a reply is complete
//   string | the bytes of a string and their CR LF | them               | line; a reply is complete
//   failed | nothing                               |                    |
//
// Thread:    any, one at a time.
// Errors:    parse() returns Result::failed for a reply that is malformed or exceeds a limit, then and
//            forever.
// Source:    redis.io/docs/reference/protocol-spec. Streamed strings and aggregates (`$?`), which no version
//            of Redis sends, are refused.
class ReplyParser {
 public:
  explicit ReplyParser(const ReplyLimits& limits = {}) noexcept : limits_(limits) {}

  enum class Result : std::uint8_t { more, reply, failed };
  // Removes bytes from the front of `bytes`: up to the end of a reply, which is in reply() until the next
  // call, or all.
  Result parse(std::string_view& bytes);
  Reply& reply() noexcept { return reply_; }
  // Some bytes of a reply have arrived, but not all.
  bool is_in_reply() const noexcept { return used_ > 0; }
  // Why parse() has failed: `a string of 99 bytes exceeds the limit of 10`.
  const std::string& fault() const noexcept { return fault_; }

 private:
  enum class State : std::uint8_t { line, string, failed };

  // An aggregate whose items have not all arrived.
  struct Level {
    char type;
    std::size_t missing;  // items; two for each pair of a map
    std::vector<Value> items{};
  };

  bool read_line(std::string_view& bytes);
  bool read_string(std::string_view& bytes);
  bool take_line(std::string_view line);
  bool begin_string(std::string_view length);
  bool begin_aggregate(std::string_view length);
  bool end_string();
  bool add(Value value);
  bool end_level();
  bool read_count(std::string_view text, std::size_t& count);
  bool use(std::size_t bytes);
  bool fail(std::string why);

  ReplyLimits limits_;
  State state_ = State::line;
  char type_ = 0;       // of the line or the string
  std::string line_;    // the start of a line whose end has not arrived
  std::string string_;  // the bytes of a string so far, with CR LF at last
  std::size_t string_size_ = 0;
  std::vector<Level> levels_;
  std::size_t used_ = 0;   // bytes of this reply
  std::size_t items_ = 0;  // values of this reply
  bool is_complete_ = false;
  Reply reply_;
  std::string fault_;
};

}  // namespace squall::redis
