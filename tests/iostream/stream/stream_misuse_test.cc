// Broken rules that are errors in every build.
#include <squall/ioloop/loop/task_group.h>
#include <squall/iostream/address/errors.h>
#include <squall/iostream/stream/iostream.h>

#include <coroutine>
#include <stdexcept>
#include <string>
#include <utility>

#include "support/stream_pair.h"
#include "support/test_loop.h"

namespace squall::stream_misuse_test {
namespace {

using testing::connected_pair;
using testing::TestLoop;
using testing::throws;

Task<> await_read(ReadAwaiter& read) { co_await read; }
Task<> read_some(IOStream& stream) { co_await stream.read_some(); }
Task<> write_some(IOStream& stream) { co_await stream.write("bytes"); }

Task<> refuse_second(ReadAwaiter& second, IOStream& from, IOStream& to) {
  // Bytes that would satisfy the second read belong to the first.
  co_await to.write("ab");
  bool refused = co_await throws<std::logic_error>(await_read(second));
  CHECK(refused);
  refused = co_await throws<std::logic_error>(read_some(from));
  CHECK(refused);
}

TEST_CASE("of two reads that were made before either waits, the second is a std::logic_error", "[misuse]") {
  TestLoop loop;
  auto [server, client] = connected_pair(IOLoop::current());
  ReadAwaiter first = server.read_bytes(4);
  ReadAwaiter second = server.read_bytes(1);
  TaskGroup group;
  group.add(await_read(first));
  loop.run(refuse_second(second, server, client));
  CHECK(group.size() == 1);
  loop.run(write_some(client));
  const auto join = [](TaskGroup& all) -> Task<> { co_await all.join(); };
  loop.run(join(group));
}

TEST_CASE("a stream that was moved from is closed", "[misuse]") {
  TestLoop loop;
  auto [server, client] = connected_pair(IOLoop::current());
  IOStream moved(std::move(server));
  CHECK(server.closed());
  const auto use = [](IOStream& stream) -> Task<> {
    bool refused = co_await throws<StreamClosedError>(read_some(stream));
    CHECK(refused);
    refused = co_await throws<StreamClosedError>(write_some(stream));
    CHECK(refused);
  };
  loop.run(use(server));
  server.shutdown_write();
  server.close();
  CHECK_FALSE(moved.closed());
}

}  // namespace
}  // namespace squall::stream_misuse_test
