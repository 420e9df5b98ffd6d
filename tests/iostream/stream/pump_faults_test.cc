// A pump whose system calls fail, with each possible errno.

#include "support/faults.h"

#include <squall/ioloop/coro/multi.h>
#include <squall/iostream/stream/pump.h>

#include <cstring>
#include <string>

#include "support/platform.h"
#include "support/stream_pair.h"
#include "support/test_loop.h"

namespace squall::pump_faults_test {
namespace {

using testing::connected_pair;
using testing::TestLoop;
using testing::faults::Call;
using testing::faults::Injection;
using testing::faults::kAlways;
using testing::faults::open_descriptors;
using testing::faults::Short;

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i ^ i >> 8 ^ i >> 16);
  return bytes;
}

Task<> send_all(IOStream& stream, const std::string& bytes) {
  co_await stream.write(bytes);
  stream.shutdown_write();
}
Task<> pump_all(IOStream& from, IOStream& to) {
  co_await pump(from, to);
  to.shutdown_write();
}
Task<> receive_all(IOStream& stream, std::string& bytes) { bytes = co_await stream.read_until_close(); }
Task<> through(IOStream& client, IOStream& near, IOStream& far, IOStream& server, const std::string& bytes,
               std::string& received) {
  co_await multi(send_all(client, bytes), pump_all(near, far), receive_all(server, received));
}

// Whether all sent bytes arrive.
bool comes_through() {
  TestLoop loop;
  auto [client, near] = connected_pair(loop);
  auto [far, server] = connected_pair(loop);
  const std::string bytes = pattern(10'000'000);
  std::string received;
  loop.run(through(client, near, far, server, bytes, received));
  return received == bytes;
}

TEST_CASE("bulk data is moved by splice, and copied if splice fails", "[faults]") {
  if (!testing::kHasSplice) {
    CHECK(comes_through());
    return;
  }
  const int open = open_descriptors();
  {
    const Injection none(Call::splice, EINVAL, {.after = kAlways});
    CHECK(comes_through());
    CHECK(none.calls() > 2);
  }
  for (const int error : {EBADF, EINVAL, ENOMEM, ESPIPE, ENOSYS}) {
    // The first call fills the pipe, the second empties it; and some later calls.
    for (const int after : {0, 1, 2, 3, 7}) {
      INFO(std::strerror(error) << " after " << after);
      const Injection fault(Call::splice, error, {.after = after, .times = kAlways});
      CHECK(comes_through());
      CHECK(fault.hits() <= 1);  // splice is not called again
      if (after < 4) CHECK(fault.hits() == 1);
    }
  }
  for (const int error : {EMFILE, ENFILE}) {
    INFO("no pipe: " << std::strerror(error));
    const Injection fault(Call::pipe, error, {.times = kAlways});
    CHECK(comes_through());
  }
  {
    const Injection fault(Call::fcntl, EPERM, {.after = 8, .times = kAlways});  // the pipe stays small
    CHECK(comes_through());
  }
  CHECK(open_descriptors() == open);
}

TEST_CASE("a splice that is interrupted, or finds no bytes, loses no byte", "[faults]") {
  if (!testing::kHasSplice) return;
  for (const int error : {EINTR, EAGAIN}) {
    for (const int after : {0, 1, 2, 3, 7}) {
      INFO(std::strerror(error) << " after " << after);
      const Injection fault(Call::splice, error, {.after = after, .times = 3});
      CHECK(comes_through());
      if (after < 4) CHECK(fault.hits() > 0);
    }
  }
  const Short few(Call::splice, 5000);
  CHECK(comes_through());
}

}  // namespace
}  // namespace squall::pump_faults_test
