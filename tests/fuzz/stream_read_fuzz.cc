// read_until and read_until_regex over a stream. For any bytes in any pieces the result is the same as of a
// search in all bytes.
//
// An input has the number of a delimiter or expression, the limit (two bytes, 0 for none), the size of
// pieces, and the bytes.

#include <squall/ioloop/base/log.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task_group.h>
#include <squall/iostream/stream/iostream.h>

#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "fuzz/fuzz.h"

namespace squall {
namespace {

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

const std::string_view kDelimiters[] = {"\n", "\r\n", "aab", "abab", "--boundary--"};
const Regex kRegexes[] = {Regex("\r?\n"), Regex("a+"),          Regex("a.*?b"),    Regex("(?<=a)b"),
                          Regex("b\\b"),  Regex("ab|abba|\\d"), Regex("(?s)a.*b"), Regex("^(a|ab)*c$")};

enum class Outcome { bytes, closed, unsatisfiable };
struct Result {
  Outcome outcome = Outcome::bytes;
  std::size_t size = 0;
  bool operator==(const Result&) const = default;
};

struct Case {
  const Regex* regex = nullptr;
  std::string_view delimiter;
  std::size_t max = kNoLimit;
};

Result expected(const Case& wanted, std::string_view bytes) {
  std::size_t end = bytes.npos;
  if (wanted.regex) {
    // The byte behind the limit decides.
    const std::size_t window = wanted.max == kNoLimit ? wanted.max : wanted.max + 1;
    const Regex::Found found = wanted.regex->search(bytes.substr(0, window), 0, true);
    if (found.outcome == Regex::Outcome::too_complex) return {Outcome::unsatisfiable};
    if (found.outcome == Regex::Outcome::match) end = found.position;
  } else if (const std::size_t found = bytes.find(wanted.delimiter); found != bytes.npos) {
    end = found + wanted.delimiter.size();
  }
  if (end != bytes.npos)
    return end > wanted.max ? Result{Outcome::unsatisfiable} : Result{Outcome::bytes, end};
  // With one byte more no delimiter can end within the limit; an expression may use that byte too.
  const bool is_too_many = wanted.regex ? bytes.size() > wanted.max : bytes.size() >= wanted.max;
  return {is_too_many ? Outcome::unsatisfiable : Outcome::closed};
}

Task<> read(IOStream& stream, const Case& wanted, Result& result, bool& done) {
  try {
    std::string_view bytes;
    if (wanted.regex) {
      bytes = co_await stream.read_until_regex(*wanted.regex, wanted.max);
    } else {
      bytes = co_await stream.read_until(wanted.delimiter, wanted.max);
    }
    result = {Outcome::bytes, bytes.size()};
  } catch (const UnsatisfiableReadError&) {
    result = {Outcome::unsatisfiable};
  } catch (const StreamClosedError&) {
    result = {Outcome::closed};
  }
  done = true;
}

void check(const Case& wanted, std::size_t cut, std::string_view bytes) {
  static IOLoop loop;
  int fds[2];
  FUZZ_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
  IOStream stream(OwnedFd(fds[0]), loop);
  OwnedFd peer(fds[1]);
  Result result;
  bool done = false;
  TaskGroup group(loop);
  group.add(read(stream, wanted, result, done));
  for (std::string_view rest = bytes; !rest.empty() && !done;) {
    // The size changes, for more ways to cut.
    cut = cut * 5 % 251;
    const std::size_t size = std::min(rest.size(), 1 + cut % 61);
    FUZZ_CHECK(::send(peer.get(), rest.data(), size, MSG_NOSIGNAL) == static_cast<ssize_t>(size) ||
               stream.closed());
    rest.remove_prefix(size);
    loop.run_once(IOLoop::Duration::zero());
  }
  peer.reset();
  int turns = 0;
  while (!done) {
    FUZZ_CHECK(turns++ < 10);
    loop.run_once(IOLoop::Duration::zero());
  }
  FUZZ_CHECK(result == expected(wanted, bytes));
}

}  // namespace
}  // namespace squall

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool is_quiet = [] {
    squall::log::set_handler([](const squall::log::Record&) {});
    return true;
  }();
  // A search of a million steps is repeated with each byte that arrives.
  if (!is_quiet || size < 4 || size > 2000) return 0;
  constexpr std::size_t kForms = std::size(squall::kDelimiters) + std::size(squall::kRegexes);
  squall::Case wanted;
  const std::size_t form = data[0] % kForms;
  if (form < std::size(squall::kDelimiters)) {
    wanted.delimiter = squall::kDelimiters[form];
  } else {
    wanted.regex = &squall::kRegexes[form - std::size(squall::kDelimiters)];
  }
  if (const std::size_t max = data[1] * 256U + data[2]; max > 0) wanted.max = max;
  squall::check(wanted, data[3], {reinterpret_cast<const char*>(data) + 4, size - 4});
  return 0;
}
