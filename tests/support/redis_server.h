#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "support/temporary_folder.h"

namespace squall::testing {

// Debian's redis-server for a test, on a Unix socket in a folder of its own. The destructor kills it, by its
// process id.
class RedisServer {
 public:
  // Without it the test warns that it is skipped, and returns.
  static bool is_missing();

  // Returns once the server answers. `options` are arguments of redis-server.
  explicit RedisServer(std::vector<std::string> options = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  std::string path() const { return folder_ / "redis.sock"; }
  std::string url() const { return "unix://" + path(); }
  pid_t pid() const noexcept { return pid_; }
  // Ends the server at once (SIGKILL), and waits for its end.
  void kill();
  // Starts it again, on the same path.
  void start();
  // Stops and continues the process: a server that is alive but silent.
  void pause();
  void resume();

 private:
  bool answers() const;

  TemporaryFolder folder_;
  std::vector<std::string> options_;
  pid_t pid_ = -1;
};

}  // namespace squall::testing
