#include <squall/ioloop/base/log.h>

#include <cstdlib>
#include <ctime>
#include <string>

#include "support/environment_variable.h"
#include "support/test_loop.h"

namespace squall::log_test {

struct Unprintable {};

namespace {

using testing::LogCapture;
using testing::TimeZone;

// A record as if written at line 2345 of a file that format_record() is told by `where`.
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

TEST_CASE("the bracketed prefix is coloured by level when asked for (LOG-03)", "[log]") {
  CHECK(format("x", log::Level::info, true).starts_with("\033[2;32m[I "));
  CHECK(format("x", log::Level::warning, true).starts_with("\033[2;33m[W "));
  CHECK(format("x", log::Level::error, true).starts_with("\033[2;31m[E "));
  CHECK(format("x", log::Level::critical, true).starts_with("\033[2;35m[C "));
  CHECK(format("x", log::Level::debug, true).ends_with("]\033[0m x"));
}

TEST_CASE("a message cannot forge a line of its own (LOG-04, SEC-80)", "[log]") {
  const std::string line = format("first\nsecond\n[E 231114 22:13:20 web:1] forged");
  CHECK(line.find("\n    second\n    [E ") != std::string::npos);
}

TEST_CASE("bytes that are not UTF-8 and control characters are shown escaped (LOG-05)", "[log]") {
  CHECK(format("a\xFFz").ends_with("] a\\xffz"));
  CHECK(
      format("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\x8C").ends_with("] \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\x8C"));
  CHECK(format("\xC0\xAF \xED\xA0\x80 \xF5\x80\x80\x80 \xE2\x82")
            .ends_with("] \\xc0\\xaf \\xed\\xa0\\x80 \\xf5\\x80\\x80\\x80 \\xe2\\x82"));
  CHECK(format("\033[2J\r\ttab").ends_with("] \\x1b[2J\\x0d\ttab"));
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

TEST_CASE("a record whose formatting fails is logged as such (LOG-05)", "[log]") {
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

}  // namespace
}  // namespace squall::log_test
