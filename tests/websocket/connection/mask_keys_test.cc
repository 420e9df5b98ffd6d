#include <squall/websocket/connection/mask_keys.h>

#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "support/catch.h"

namespace squall::websocket::mask_keys_test {
namespace {

TEST_CASE("mask keys do not repeat", "[mask_keys]") {
  std::set<MaskKey> keys;
  for (int i = 0; i < 300; ++i) keys.insert(next_mask_key());
  CHECK(keys.size() >= 298);  // of 2^32: two equal ones are possible
}

TEST_CASE("a forked process has other mask keys than its parent", "[mask_keys]") {
  next_mask_key();  // the keys behind it are taken from the system already
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const MaskKey keys[2] = {next_mask_key(), next_mask_key()};
    ::_exit(::write(pipe[1], keys, sizeof keys) == sizeof keys ? 0 : 1);
  }
  REQUIRE(child > 0);
  ::close(pipe[1]);
  MaskKey theirs[2];
  CHECK(::read(pipe[0], theirs, sizeof theirs) == sizeof theirs);
  ::close(pipe[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  const MaskKey ours[2] = {next_mask_key(), next_mask_key()};
  CHECK_FALSE((ours[0] == theirs[0] && ours[1] == theirs[1]));
}

TEST_CASE("each thread has mask keys of its own", "[mask_keys][threads]") {
  MaskKey theirs[2];
  next_mask_key();
  std::thread thread([&] {
    for (MaskKey& key : theirs) key = next_mask_key();
  });
  thread.join();
  const MaskKey ours[2] = {next_mask_key(), next_mask_key()};
  CHECK_FALSE((ours[0] == theirs[0] && ours[1] == theirs[1]));
}

}  // namespace
}  // namespace squall::websocket::mask_keys_test
