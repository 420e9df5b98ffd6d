#pragma once

#include <squall/ioloop/base/void_function.h>

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

// Three loggers, as in Tornado (LOG-01): access() has one line a request, application() the exceptions of
// user code, general() all other messages of the library. A logger without its own level has the level of
// root().
//
//     log::general().warning("Write error on {}: {}", fd, error.message());
//
// By default warnings and errors go to stderr. Most programs call log::enable_pretty_logging() first: lines
// from INFO upwards, coloured on a terminal.
//
// Thread:    any.
namespace squall::log {

enum class Level : std::uint8_t { debug, info, warning, error, critical, none };

// A format string and its source location: the first argument of a logging call.
template <class... Arguments>
struct Format {
  template <class String>
  consteval Format(const String& text, std::source_location where = std::source_location::current())
      : text(text), where(where) {}

  fmt::format_string<Arguments...> text;
  std::source_location where;
};

class Logger;

// The argument of a handler. Valid during the call only.
struct Record {
  const Logger& logger;
  Level level;
  std::source_location where;
  std::chrono::system_clock::time_point time;
  std::string_view message;
};

class Logger {
 public:
  constexpr Logger(const char* name, Logger* parent) noexcept : name_(name), parent_(parent) {}
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  std::string_view name() const noexcept { return name_; }
  bool enabled(Level level) const noexcept { return level >= effective_level(); }
  Level effective_level() const noexcept {
    const std::uint8_t own = level_.load(std::memory_order_relaxed);
    return own == kInherit ? parent_->effective_level() : static_cast<Level>(own);
  }
  // The logger's own level; nullopt if it uses the level of its parent.
  std::optional<Level> own_level() const noexcept {
    const std::uint8_t own = level_.load(std::memory_order_relaxed);
    return own == kInherit ? std::nullopt : std::optional(static_cast<Level>(own));
  }
  // Level::none silences the logger.
  void set_level(Level level) noexcept {
    level_.store(static_cast<std::uint8_t>(level), std::memory_order_relaxed);
  }
  // Uses the level of the parent again. Does nothing for root().
  void inherit_level() noexcept {
    if (parent_) level_.store(kInherit, std::memory_order_relaxed);
  }

  template <class... A>
  void debug(std::type_identity_t<Format<A...>> format, A&&... arguments) const {
    log(Level::debug, format, std::forward<A>(arguments)...);
  }
  template <class... A>
  void info(std::type_identity_t<Format<A...>> format, A&&... arguments) const {
    log(Level::info, format, std::forward<A>(arguments)...);
  }
  template <class... A>
  void warning(std::type_identity_t<Format<A...>> format, A&&... arguments) const {
    log(Level::warning, format, std::forward<A>(arguments)...);
  }
  template <class... A>
  void error(std::type_identity_t<Format<A...>> format, A&&... arguments) const {
    log(Level::error, format, std::forward<A>(arguments)...);
  }
  template <class... A>
  void critical(std::type_identity_t<Format<A...>> format, A&&... arguments) const {
    log(Level::critical, format, std::forward<A>(arguments)...);
  }
  template <class... A>
  void log(Level level, std::type_identity_t<Format<A...>> format, A&&... arguments) const {
    if (enabled(level)) emit(level, format.where, format.text, fmt::make_format_args(arguments...));
  }

 private:
  static constexpr std::uint8_t kInherit = 255;

  // Never throws: if formatting fails, `Bad message` is logged (LOG-05).
  void emit(Level level, std::source_location where, fmt::string_view text,
            fmt::format_args arguments) const noexcept;

  const char* name_;
  Logger* parent_;
  std::atomic<std::uint8_t> level_ = parent_ ? kInherit : static_cast<std::uint8_t>(Level::warning);
};

// An errno as an argument of a logging call, which prints its text. The text is made within the logging call,
// so that a failure does not reach the caller.
struct Errno {
  int value;
};

Logger& root() noexcept;
Logger& access() noexcept;
Logger& application() noexcept;
Logger& general() noexcept;

// Sets the function that is called with every record that the level of its logger admits, one at a time;
// returns the previous one. An empty handler selects the built-in one: pretty lines to stderr.
//
// Record::message is the whole message, and may have any bytes: a handler that prints uses format_record().
//
// A handler may call functions that log. The built-in handler prints these records, and the records for which
// the handler throws. A record of another thread waits until the handler returns. A handler is called in the
// middle of the function that logs, which may be a function of a stream: a handler that sends its lines
// stores them, and a task writes them (docs/ioloop.md).
//
// Throws std::logic_error if a handler calls it.
using Handler = VoidFunction<const Record&>;
Handler set_handler(Handler handler);
// Passes a record to the built-in handler. Must be called from a handler.
void print(const Record& record);

// Sets root()'s level. Lines look like `[I 231114 22:13:20 web:2345] 200 GET / (127.0.0.1) 1.23ms`, coloured
// if stderr is a terminal, TERM is not `dumb` and NO_COLOR is unset (LOG-02 to LOG-04).
void enable_pretty_logging(Level level = Level::info);

// The line of a record, without the newline: local time, further lines indented by four spaces (so that no
// message can forge a line). Bytes that are not UTF-8, control characters, and characters that are invisible
// or change the direction of the text are escaped: `\x1b`, `\u202e`. Of a message of more than 8 KiB the line
// has the beginning, its length and the end.
std::string format_record(const Record& record, bool color);

}  // namespace squall::log

// Takes no format specifier: `{}`.
template <>
struct fmt::formatter<squall::log::Errno> {
  constexpr auto parse(fmt::format_parse_context& context) const { return context.begin(); }
  fmt::format_context::iterator format(squall::log::Errno error, fmt::format_context& context) const;
};
