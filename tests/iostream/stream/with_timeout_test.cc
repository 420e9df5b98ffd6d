#include <squall/ioloop/coro/with_timeout.h>

#include <squall/iostream/stream/iostream.h>
#include <squall/iostream/stream/regex.h>

#include <array>
#include <span>
#include <string>

#include "support/limits.h"
#include "support/stream_pair.h"
#include "support/test_loop.h"

// with_timeout() over the awaiters of a stream.
namespace squall::with_timeout_test {
namespace {

using namespace std::chrono_literals;
using testing::check_limits;
using testing::TestLoop;
using testing::throws;

struct Wire {
  TestLoop loop;
  std::pair<IOStream, IOStream> streams = testing::connected_pair(loop);
  IOStream& client = streams.first;
  IOStream& server = streams.second;
};

TEST_CASE("with_timeout limits every read of a stream, and the stream can be read again", "[with_timeout]") {
  Wire wire;
  IOStream& client = wire.client;
  const auto send = [&] { wire.server.write("line\n"); };
  check_limits(wire.loop, [&] { return client.read_until("\n"); }, send);
  check_limits(wire.loop, [&] { return client.read_bytes(5); }, send);
  check_limits(wire.loop, [&] { return client.read_some(); }, send);
  check_limits(wire.loop, [&] { return client.read_some(std::nothrow); }, send);
  const Regex regex("\\n");
  check_limits(wire.loop, [&] { return client.read_until_regex(regex); }, send);
  std::array<char, 5> space{};
  check_limits(wire.loop, [&] { return client.read_into(std::span<char>(space)); }, send);
  CHECK(std::string(space.data(), space.size()) == "line\n");
  check_limits(wire.loop, [&] { return client.read_into_some(std::span<char>(space)); }, send);
  check_limits(wire.loop, [&] { return client.read_until_close(); }, [&] { wire.server.close(); });
}

TEST_CASE("a read that timed out loses no byte", "[with_timeout]") {
  Wire wire;
  auto read = [](IOStream& stream, TimeSpan limit) -> Task<std::string> {
    const std::string line = co_await with_timeout(limit, stream.read_until("\n"));
    co_return line;
  };
  auto into = [](IOStream& stream, std::span<char> space) -> Task<> {
    co_await with_timeout(20ms, stream.read_into(space));
  };
  wire.server.write("half ");
  CHECK(wire.loop.run(throws<TimeoutError>(read(wire.client, 20ms))));
  std::array<char, 10> space{};
  CHECK(wire.loop.run(throws<TimeoutError>(into(wire.client, space))));
  wire.server.write("a line\n");
  CHECK(wire.loop.run(read(wire.client, 1h)) == "half a line\n");
}

TEST_CASE("a line that has arrived is read without a timer, also after its timeout", "[with_timeout]") {
  Wire wire;
  auto read_both = [](IOStream& stream) -> Task<std::string> {
    std::string both = co_await stream.read_until("\n");
    const std::string second = co_await with_timeout(-1h, stream.read_until("\n"));
    both += second;
    co_return both;
  };
  wire.server.write("one\ntwo\n");
  CHECK(wire.loop.run(read_both(wire.client)) == "one\ntwo\n");
}

TEST_CASE("with_timeout limits a write, whose bytes are sent nevertheless", "[with_timeout]") {
  Wire wire;
  const std::string bytes(10'000'000, 'x');  // more than the kernel takes
  std::size_t expected = 0;
  const auto write = [&] {
    expected += bytes.size();
    return wire.server.write(bytes);
  };
  auto drain = [](IOStream& stream, std::size_t& expected) -> Task<> {
    for (std::size_t count = 0; count < 30'000'000;) {
      const std::string_view got = co_await stream.read_some();
      count += got.size();
    }
    CHECK(expected == 30'000'000);
  };
  TaskGroup group(wire.loop);
  check_limits(wire.loop, write, [&] { group.add(drain(wire.client, expected)); });
  wire.loop.run_until([&] { return group.empty(); });
}

}  // namespace
}  // namespace squall::with_timeout_test
