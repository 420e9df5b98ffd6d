#include <squall/iostream/stream/iostream.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "support/scrambler.h"
#include "support/stream_pair.h"
#include "support/test_loop.h"

// A read gives the same result for every way in which the network cuts its bytes.
namespace squall::iostream_segmentation_test {
namespace {

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

using testing::RawPeer;
using testing::Scrambler;
using testing::tcp_pair;
using testing::TestLoop;

using Random = std::mt19937;

std::size_t below(Random& random, std::size_t end) { return random() % end; }

enum class Form { some, bytes, until, until_regex, into, into_some, until_close };

struct Read {
  Form form = Form::some;
  std::size_t amount = 0;  // the count, or the limit
  std::string delimiter;
  const Regex* regex = nullptr;
};

// The result of a read: its bytes, or its error.
struct Result {
  std::string bytes{};
  bool unsatisfiable = false;
  bool full = false;
  bool closed = false;
  bool operator==(const Result&) const = default;
};

const Regex kRegexes[] = {Regex("\r?\n"),    Regex("b+"),      Regex("a.*?b"), Regex("(?<=a)bb"),
                          Regex("[^\n]*\n"), Regex("ab|abba"), Regex("c\\b"),  Regex("(?s)a.{0,40}c")};

Read random_read(Random& random) {
  Read read;
  read.form = static_cast<Form>(below(random, 20) == 0 ? 6 : below(random, 6));
  const std::size_t sizes[] = {0, 1, 5, 100, 5'000, 20'000, 100'000};
  read.amount = below(random, sizes[below(random, std::size(sizes))] + 1);
  switch (read.form) {
    case Form::some:
    case Form::into_some: read.amount += 1; break;
    case Form::until: {
      const char* const delimiters[] = {"\n", "\r\n", "ab", "bab", "aabb"};
      read.delimiter = delimiters[below(random, std::size(delimiters))];
      if (below(random, 4) > 0) read.amount = kNoLimit;
      break;
    }
    case Form::until_regex:
      read.regex = &kRegexes[below(random, std::size(kRegexes))];
      if (below(random, 4) > 0) read.amount = kNoLimit;
      break;
    case Form::until_close: read.amount = below(random, 2) ? kNoLimit : read.amount; break;
    default: break;
  }
  return read;
}

// The expected result of the read if all bytes have arrived; nullopt for reads without a fixed count.
std::optional<Result> expected(const Read& read, std::string_view rest) {
  const auto prefix = [rest](std::size_t count) { return Result{std::string(rest.substr(0, count))}; };
  const Result closed{.closed = true};
  const Result unsatisfiable{.unsatisfiable = true};
  switch (read.form) {
    case Form::some:
    case Form::into_some: return std::nullopt;
    case Form::bytes:
    case Form::into: return rest.size() >= read.amount ? prefix(read.amount) : closed;
    case Form::until: {
      const std::size_t found = rest.find(read.delimiter);
      if (found == rest.npos) return rest.size() >= read.amount ? unsatisfiable : closed;
      const std::size_t end = found + read.delimiter.size();
      return end > read.amount ? unsatisfiable : prefix(end);
    }
    case Form::until_regex: {
      // One byte more than the limit decides.
      const std::size_t window = read.amount == kNoLimit ? read.amount : read.amount + 1;
      const Regex::Found found = read.regex->search(rest.substr(0, window), 0, true);
      const bool is_match = found.outcome == Regex::Outcome::match;
      if (is_match && found.position <= read.amount) return prefix(found.position);
      return is_match || rest.size() > read.amount ? unsatisfiable : closed;
    }
    case Form::until_close: return rest.size() > read.amount ? Result{.full = true} : prefix(rest.size());
  }
  return std::nullopt;
}

Task<std::string> perform(IOStream& stream, const Read& read) {
  std::string space(read.amount == kNoLimit ? 0 : read.amount, '\0');
  switch (read.form) {
    case Form::some: co_return co_await stream.read_some(read.amount);
    case Form::bytes: co_return co_await stream.read_bytes(read.amount);
    case Form::until: co_return co_await stream.read_until(read.delimiter, read.amount);
    case Form::until_regex: co_return co_await stream.read_until_regex(*read.regex, read.amount);
    case Form::until_close: co_return co_await stream.read_until_close(read.amount);
    case Form::into: {
      const std::size_t count = co_await stream.read_into(space);
      space.resize(count);
      co_return space;
    }
    case Form::into_some: {
      const std::size_t count = co_await stream.read_into_some(space);
      space.resize(count);
      co_return space;
    }
  }
  co_return "";
}

Task<> note(IOStream& stream, const Read& read, std::optional<Result>& out) {
  Result result;
  try {
    result.bytes = co_await perform(stream, read);
  } catch (const UnsatisfiableReadError&) {
    result.unsatisfiable = true;
  } catch (const StreamClosedError&) {
    result.closed = true;
  } catch (const StreamBufferFullError&) {
    result.full = true;
  }
  out = std::move(result);
}

std::string random_text(Random& random, std::size_t size) {
  static constexpr std::string_view kLetters = "aaabbbcd\r\n\n ";
  std::string text(size, ' ');
  for (char& c : text) c = kLetters[below(random, kLetters.size())];
  // Sometimes with a long part without a line end.
  if (size > 10'000 && below(random, 2)) std::fill_n(text.begin() + 3'000, 6'000, 'x');
  return text;
}

// Sends pieces of random sizes, reads in random ways, and sometimes drops a waiting read.
void check(std::uint32_t seed, bool is_scrambled) {
  INFO("seed " << seed << (is_scrambled ? ", scrambled" : ""));
  Random random(seed);
  TestLoop loop;
  auto pair = tcp_pair();
  IOStream stream(std::move(pair.first), loop);
  RawPeer peer(std::move(pair.second));
  const std::size_t sizes[] = {50, 2'000, 50'000, 300'000};
  const std::string text = random_text(random, below(random, sizes[below(random, 4)]));
  std::string wire = text;
  if (is_scrambled) {
    const std::size_t at_a_time[] = {1 + below(random, 5), 1 + below(random, 5'000),
                                     static_cast<std::size_t>(-1)};
    stream.set_transport(
        std::make_unique<Scrambler>(Scrambler::Limits{.at_a_time = at_a_time[below(random, 3)]}));
    wire = "H" + Scrambler::scramble(text) + "$";
  }
  const std::size_t largest = below(random, 3) == 0 ? 3 : below(random, 2) ? 3'000 : 100'000;
  const bool may_be_slow = wire.size() / largest > 20'000;
  std::size_t sent = 0;
  const auto send_piece = [&] {
    if (sent == wire.size()) return;
    const std::size_t count = std::min(wire.size() - sent, 1 + below(random, may_be_slow ? 3'000 : largest));
    sent += peer.send_some(std::string_view(wire).substr(sent, count));
    if (sent == wire.size()) peer.half_close();
  };
  if (wire.empty()) peer.half_close();

  std::string_view rest = text;
  for (;;) {
    const Read read = random_read(random);
    std::optional<Result> result;
    while (!result) {
      TaskGroup group(loop);
      group.add(note(stream, read, result));
      const std::size_t patience = below(random, 5) == 0 ? 1 + below(random, 3) : 1'000'000;
      for (std::size_t i = 0; i < patience && !result; ++i) {
        if (below(random, 2)) send_piece();
        loop.run_turn();
      }
      // A read without an outcome is dropped: the next read must find all of the bytes.
    }
    if (const auto truth = expected(read, rest)) {
      INFO("form " << static_cast<int>(read.form) << ", amount " << read.amount << ", \"" << read.delimiter
                   << '"');
      REQUIRE((*result == *truth));
    } else {
      REQUIRE((rest.substr(0, result->bytes.size()) == result->bytes));
      REQUIRE(result->bytes.size() <= read.amount);
      if (read.form == Form::into_some && rest.empty()) {
        REQUIRE(result->closed);
      } else {
        REQUIRE(result->bytes.empty() == rest.empty());
      }
    }
    rest.remove_prefix(result->bytes.size());
    if (result->full) loop.log.expect("Reached maximum read buffer size of ");
    if (result->unsatisfiable || result->full || (rest.empty() && stream.at_eof())) return;
    if (result->closed && read.form != Form::into_some && rest.empty()) return;
  }
}

TEST_CASE("the result of a read does not depend on the pieces, or on dropped reads before it",
          "[iostream][segmentation]") {
  for (std::uint32_t seed = 0; seed < 300; ++seed) check(seed, false);
}

TEST_CASE("nor does the result of a read through a transport that holds bytes", "[iostream][segmentation]") {
  for (std::uint32_t seed = 0; seed < 150; ++seed) check(1'000 + seed, true);
}

}  // namespace
}  // namespace squall::iostream_segmentation_test
