#include "support/redis_server.h"

#include <squall/iostream/address/unix_address.h>
#include <squall/testing/patience.h>

#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <sstream>
#include <thread>

extern char** environ;

namespace squall::testing {
namespace {

std::string program() {
  const char* const path = ::getenv("PATH");
  std::istringstream folders(path ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (::access((folder + "/redis-server").c_str(), X_OK) == 0) return folder + "/redis-server";
  return {};
}

}  // namespace

bool RedisServer::is_missing() {
  if (!program().empty()) return false;
  WARN("skipped: redis-server is not installed");
  return true;
}

RedisServer::RedisServer(std::vector<std::string> options) : options_(std::move(options)) { start(); }

RedisServer::~RedisServer() { kill(); }

void RedisServer::start() {
  std::vector<std::string> words{program(), "--port", "0",           "--unixsocket", path(),         "--save",
                                 "",        "--dir",  folder_ / ".", "--logfile",    folder_ / "log"};
  words.insert(words.end(), options_.begin(), options_.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  REQUIRE(::posix_spawn(&pid_, words[0].c_str(), nullptr, nullptr, argv.data(), environ) == 0);
  const auto end = std::chrono::steady_clock::now() + Patience::limit();
  while (!answers()) {
    REQUIRE(::waitpid(pid_, nullptr, WNOHANG) == 0);
    REQUIRE(std::chrono::steady_clock::now() < end);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

bool RedisServer::answers() const {
  const UnixAddress address(path());
  const OwnedFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(fd.get(), address.data(), address.size()) != 0) return false;
  char answer[8];
  return ::send(fd.get(), "PING\r\n", 6, MSG_NOSIGNAL) == 6 && ::recv(fd.get(), answer, sizeof answer, 0) > 0;
}

void RedisServer::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void RedisServer::pause() { ::kill(pid_, SIGSTOP); }
void RedisServer::resume() { ::kill(pid_, SIGCONT); }

}  // namespace squall::testing
