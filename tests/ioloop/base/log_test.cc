#include <squall/ioloop/base/log.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/environment_variable.h"
#include "support/test_loop.h"

namespace squall::log_test {

struct Unprintable {};

namespace {

using testing::LogCapture;
using testing::TimeZone;

// Formats a record of line 2345 of the file of `where`.
std::string format(std::string_view message, log::Level level = log::Level::info, bool color = false) {
  const auto where = std::source_location::current();
  return log::format_record(
      {log::access(), level, where, std::chrono::system_clock::from_time_t(1'700'000'000), message}, color);
}

TEST_CASE("a line has level, local time, module and line number (LOG-02)", "[log]") {
  const TimeZone utc("UTC");
  const std::string line = format("200 GET / (127.0.0.1) 1.23ms");
  CHECK(line.starts_with("[I 231114 22:13:20 log_test:"));
  CHECK(line.ends_with("] 200 GET / (127.0.0.1) 1.23ms"));
  CHECK(format("", log::Level::debug)[1] == 'D');
  CHECK(format("", log::Level::warning)[1] == 'W');
  CHECK(format("", log::Level::error)[1] == 'E');
  CHECK(format("", log::Level::critical)[1] == 'C');
}

TEST_CASE("the bracketed prefix is coloured by level if `color` is true (LOG-03)", "[log]") {
  CHECK(format("x", log::Level::info, true).starts_with("\033[2;32m[I "));
  CHECK(format("x", log::Level::warning, true).starts_with("\033[2;33m[W "));
  CHECK(format("x", log::Level::error, true).starts_with("\033[2;31m[E "));
  CHECK(format("x", log::Level::critical, true).starts_with("\033[2;35m[C "));
  CHECK(format("x", log::Level::debug, true).ends_with("]\033[0m x"));
}

TEST_CASE("a message cannot forge another line (LOG-04, SEC-80)", "[log]") {
  const std::string line = format("first\nsecond\n[E 231114 22:13:20 web:1] forged");
  CHECK(line.find("\n    second\n    [E ") != std::string::npos);
}

TEST_CASE("bytes that are not UTF-8, and control characters, are escaped (LOG-05)", "[log]") {
  CHECK(format("a\xFFz").ends_with("] a\\xffz"));
  CHECK(
      format("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\x8C").ends_with("] \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\x8C"));
  CHECK(format("\xC0\xAF \xED\xA0\x80 \xF5\x80\x80\x80 \xE2\x82")
            .ends_with("] \\xc0\\xaf \\xed\\xa0\\x80 \\xf5\\x80\\x80\\x80 \\xe2\\x82"));
  CHECK(format("\033[2J\r\ttab").ends_with("] \\x1b[2J\\x0d\ttab"));
  CHECK(format("\x7f \xC2\x9B"
               "31m \xC2\x85 \xC2\x80")
            .ends_with("] \\x7f \\u009b31m \\u0085 \\u0080"));
}

TEST_CASE("characters that are invisible, break lines or change the direction of the text are escaped",
          "[log]") {
  std::string text;
  std::string expected = "] ";
  const std::pair<const char*, const char*> characters[] = {
      {"\u00a0", "\u00a0"},          {"\u00ad", "\\u00ad"},        {"\u061c", "\\u061c"},
      {"\u200b", "\\u200b"},         {"\u200c", "\u200c"},         {"\u200d", "\u200d"},
      {"\u200e", "\\u200e"},         {"\u200f", "\\u200f"},        {"\u2027", "\u2027"},
      {"\u2028", "\\u2028"},         {"\u2029", "\\u2029"},        {"\u202a", "\\u202a"},
      {"\u202e", "\\u202e"},         {"\u202f", "\u202f"},         {"\u2066", "\\u2066"},
      {"\u2069", "\\u2069"},         {"\u2070", "\u2070"},         {"\ufeff", "\\ufeff"},
      {"\U000e0041", "\\U000e0041"}, {"\U0001f40c", "\U0001f40c"}, {"\u05d0", "\u05d0"}};
  for (const auto& [character, shown] : characters) {
    text += character;
    expected += shown;
  }
  CHECK(format(text).ends_with(expected));
}

TEST_CASE("of a long message the line has the beginning, its length and the end", "[log]") {
  constexpr std::size_t kMost = 8 * 1024;
  const std::string whole(kMost, 'a');
  CHECK(format(whole).ends_with("] " + whole));
  const std::string line = format("begin" + std::string(60'000, '-') + "end");
  CHECK(line.find("] begin---") != line.npos);
  CHECK(line.ends_with("---end"));
  CHECK(line.find("-[... 51816 of 60008 bytes are left out ...]-") != line.npos);
  CHECK(line.size() < kMost + 200);
  // No character is cut: 3 does not divide 4096.
  std::string euros;
  for (int i = 0; i < 5'000; ++i) euros += "\u20ac";
  CHECK(format(euros).find("\u20ac[... 6810 of 15000 bytes are left out ...]\u20ac") != std::string::npos);
  CHECK(format(euros).find("\\x") == std::string::npos);
}

}  // namespace
}  // namespace squall::log_test

template <>
struct fmt::formatter<squall::log_test::Unprintable> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  auto format(const squall::log_test::Unprintable&, fmt::format_context& context) const
      -> decltype(context.out()) {
    throw fmt::format_error("cannot be printed");
  }
};

namespace squall::log_test {
namespace {

TEST_CASE("a record whose formatting fails is logged as `Bad message` (LOG-05)", "[log]") {
  LogCapture log;
  log::general().error("value {}", Unprintable());
  CHECK(log.expect("Bad message").message == "Bad message (cannot be printed): value {}");
}

TEST_CASE("three loggers have names and follow root's level until they have their own (LOG-01)", "[log]") {
  LogCapture log(log::Level::warning);
  CHECK(log::access().name() == "squall.access");
  CHECK(log::application().name() == "squall.application");
  CHECK(log::general().name() == "squall.general");
  log::access().info("dropped");
  log::access().set_level(log::Level::info);
  log::access().info("let through {}", 1);
  log::general().info("dropped");
  CHECK(log.expect("let through 1").logger == "squall.access");
  log::access().set_level(log::Level::none);
  log::access().critical("dropped");
  log::access().inherit_level();
  CHECK_FALSE(log::access().enabled(log::Level::info));
  CHECK(log::access().enabled(log::Level::warning));
  CHECK(log.empty());
}

// ---- Handlers that log, or throw.

// Collects what is written to stderr.
class StderrText {
 public:
  StderrText() : before_(::dup(STDERR_FILENO)) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    read_end_.reset(ends[0]);
    const OwnedFd write_end(ends[1]);
    ::dup2(write_end.get(), STDERR_FILENO);
  }
  ~StderrText() { ::dup2(before_.get(), STDERR_FILENO); }
  StderrText(const StderrText&) = delete;
  StderrText& operator=(const StderrText&) = delete;

  // The bytes that were written since the last call.
  std::string take() {
    std::string text(64 * 1024, '\0');
    const ssize_t count = ::read(read_end_.get(), text.data(), text.size());
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    return text;
  }

 private:
  OwnedFd before_;
  OwnedFd read_end_;
};

// Sets a handler, and afterwards the one before.
class HandlerFor {
 public:
  explicit HandlerFor(log::Handler handler) : before_(log::set_handler(std::move(handler))) {}
  ~HandlerFor() { log::set_handler(std::move(before_)); }
  HandlerFor(const HandlerFor&) = delete;
  HandlerFor& operator=(const HandlerFor&) = delete;

 private:
  log::Handler before_;
};

TEST_CASE("a line that a handler logs is printed, and the handler is not called for it", "[log]") {
  StderrText text;
  std::vector<std::string> handled;
  const HandlerFor handler([&handled](const log::Record& record) {
    handled.emplace_back(record.message);
    log::general().warning("cannot ship \"{}\"", record.message);
    log::general().info("below the level");
  });
  log::general().warning("one");
  log::general().error("two");
  CHECK(handled == std::vector<std::string>{"one", "two"});
  const std::string printed = text.take();
  CHECK(printed.find("cannot ship \"one\"\n") != printed.npos);
  CHECK(printed.find("cannot ship \"two\"\n") != printed.npos);
  CHECK(std::ranges::count(printed, '\n') == 2);
}

TEST_CASE("a line is printed if the handler throws, and the handler is called for the next one", "[log]") {
  StderrText text;
  int calls = 0;
  const HandlerFor handler([&calls](const log::Record&) {
    if (++calls == 1) throw std::runtime_error("no connection");
  });
  log::general().warning("one");
  CHECK(text.take().ends_with("] one\n"));
  log::general().warning("two");
  CHECK(text.take().empty());
  CHECK(calls == 2);
}

TEST_CASE("a handler cannot be replaced while it runs, and the level and colour can be set", "[log]") {
  StderrText text;
  LogCapture restored;
  int refused = 0;
  const HandlerFor handler([&refused](const log::Record&) {
    log::enable_pretty_logging(log::Level::warning);
    try {
      log::set_handler({});
    } catch (const std::logic_error&) {
      ++refused;
    }
  });
  log::general().warning("one");
  log::general().warning("two");
  CHECK(refused == 2);
}

TEST_CASE("a line of another thread waits for the handler", "[log][threads]") {
  StderrText text;
  std::atomic<int> inside = 0;
  std::atomic<int> handled = 0;
  std::atomic<bool> mixed = false;
  const HandlerFor handler([&](const log::Record& record) {
    if (++inside > 1) mixed = true;
    log::general().warning("nested in {}", record.message);
    --inside;
    ++handled;
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int line = 0; line < 50; ++line) log::general().warning("a line");
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(handled == 200);
  CHECK_FALSE(mixed);
  const std::string printed = text.take();
  CHECK(std::ranges::count(printed, '\n') == 200);
}

}  // namespace
}  // namespace squall::log_test
