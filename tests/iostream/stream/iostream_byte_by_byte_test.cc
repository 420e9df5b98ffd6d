// Reads of many bytes that arrive one at a time.

#include <squall/iostream/stream/iostream.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "support/byte_by_byte.h"
#include "support/stream_pair.h"
#include "support/test_loop.h"

namespace squall::iostream_byte_by_byte_test {
namespace {

using testing::LinearTime;
using testing::tcp_pair;
using testing::TestLoop;

constexpr std::size_t kMany = 1'000'000;

// Gives a text byte by byte, then the end.
class Drip final : public Transport {
 public:
  explicit Drip(std::string text) : text_(std::move(text)) {}
  Step handshake(int) noexcept override { return Step::done; }
  ssize_t receive(int, std::span<char> space) noexcept override {
    if (at_ == text_.size()) return 0;
    space[0] = text_[at_++];
    return 1;
  }
  ssize_t look(int) noexcept override { return at_ < text_.size(); }
  bool has_received() const noexcept override { return true; }
  ssize_t send(int, std::span<const std::string_view>) noexcept override { return 0; }
  bool wants_write() const noexcept override { return false; }
  void end_sending(int) noexcept override {}
  std::error_code error() const noexcept override { return {}; }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

Task<std::size_t> until(IOStream& stream, std::string delimiter) {
  const std::string_view text = co_await stream.read_until(delimiter);
  co_return text.size();
}
Task<std::size_t> until_regex(IOStream& stream, const Regex& regex) {
  const std::string_view text = co_await stream.read_until_regex(regex);
  co_return text.size();
}
Task<std::size_t> count(IOStream& stream, std::size_t size) {
  const std::string_view text = co_await stream.read_bytes(size);
  co_return text.size();
}
Task<std::size_t> into(IOStream& stream, std::size_t size) {
  std::string space(size, ' ');
  const std::size_t got = co_await stream.read_into(space);
  co_return got;
}
Task<std::size_t> to_end(IOStream& stream) {
  const std::string_view text = co_await stream.read_until_close();
  co_return text.size();
}
// Nothing if the read is unsatisfiable.
Task<> note(Task<std::size_t> read, std::optional<std::size_t>& size, bool& ended) {
  try {
    size = co_await std::move(read);
  } catch (const UnsatisfiableReadError&) {
    size.reset();
  }
  ended = true;
}

// The size of what `read` gives of `text`; nothing if it is unsatisfiable.
template <class Read>
std::optional<std::size_t> size_read(std::string text, Read read) {
  TestLoop loop;
  auto pair = tcp_pair();
  IOStream stream(std::move(pair.first), loop);
  LinearTime time;
  stream.set_transport(std::make_unique<Drip>(std::move(text)));
  std::optional<std::size_t> size;
  bool ended = false;
  TaskGroup group(loop);
  group.add(note(read(stream), size, ended));
  while (!ended) {
    time.step();
    loop.run_turn();
  }
  if (!size) loop.log.expect("too many steps");
  return size;
}

TEST_CASE("a read of bytes that come one by one takes linear time", "[byte_by_byte]") {
  CHECK(size_read(std::string(kMany, 'x') + '\n', [](IOStream& stream) { return until(stream, "\n"); }) ==
        kMany + 1);
  CHECK(size_read(std::string(kMany, '\r') + '\n', [](IOStream& stream) { return until(stream, "\r\n"); }) ==
        kMany + 1);
  CHECK(size_read(std::string(kMany, 'x'), [](IOStream& stream) { return count(stream, kMany); }) == kMany);
  CHECK(size_read(std::string(kMany, 'x'), [](IOStream& stream) { return into(stream, kMany); }) == kMany);
  CHECK(size_read(std::string(kMany, 'x'), [](IOStream& stream) { return to_end(stream); }) == kMany);
}

TEST_CASE("a read until a regular expression takes linear time where a byte must be in the match",
          "[byte_by_byte]") {
  const auto size = [](std::string text, const char* pattern) {
    const Regex regex(pattern);
    return size_read(std::move(text), [&regex](IOStream& stream) { return until_regex(stream, regex); });
  };
  CHECK(size(std::string(kMany, 'x') + "\r\n", "[^\n]*\r\n") == kMany + 2);
  CHECK(size(std::string(kMany, 'x') + "\r\n", "\\w+\r?\n") == kMany + 2);
  CHECK(size(std::string(kMany, '\r') + "\r\n", "\r?\n") == kMany + 2);
  CHECK(size(std::string(kMany, '7') + "x;", "\\d+x;") == kMany + 2);
  CHECK(size("\n" + std::string(kMany, 'x') + "\n.", "x+\n\\.") == kMany + 3);
}

TEST_CASE("a read until a regular expression fails before its searches take more than linear time",
          "[byte_by_byte]") {
  const auto size = [](std::string text, const char* pattern) {
    const Regex regex(pattern);
    return size_read(std::move(text), [&regex](IOStream& stream) { return until_regex(stream, regex); });
  };
  CHECK(size(std::string(kMany, 'x') + "1 ", "[a-z]+[0-9] ?") == std::nullopt);
  CHECK(size("\n" + std::string(kMany, 'x') + "1 ", "\n[a-z]+[0-9] ?") == std::nullopt);
  // A line of usual length does not come near the limit.
  CHECK(size(std::string(10'000, 'x') + "1 ", "[a-z]+[0-9] ?") == 10'002);
}

}  // namespace
}  // namespace squall::iostream_byte_by_byte_test
