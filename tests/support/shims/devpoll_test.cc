#include <squall/ioloop/base/owned_fd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <vector>

#include "support/catch.h"
#include "support/descriptor_limit.h"

// Included last, because it replaces open, write and ioctl.
#include <sys/devpoll.h>

// The rules that sys/devpoll.h lists. A real /dev/poll passes these tests too, except the cases tagged
// [shim].
namespace squall {
namespace {

using Pair = std::array<OwnedFd, 2>;
Pair socket_pair() {
  int fds[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
  return {OwnedFd(fds[0]), OwnedFd(fds[1])};
}
void put(const OwnedFd& fd) { REQUIRE(::send(fd.get(), "x", 1, 0) == 1); }

OwnedFd device() {
  OwnedFd fd(::open("/dev/poll", O_RDWR));
  REQUIRE(fd);
  return fd;
}
// 0, or the errno.
int tell(const OwnedFd& device, std::vector<pollfd> changes) {
  const auto size = static_cast<ssize_t>(changes.size() * sizeof(pollfd));
  const ssize_t written = ::write(device.get(), changes.data(), static_cast<std::size_t>(size));
  if (written < 0) return errno;
  CHECK(written == size);
  return 0;
}
// Returns the ready descriptors; does not wait.
std::vector<pollfd> ask(const OwnedFd& device, int room = 16) {
  std::vector<pollfd> polled(static_cast<std::size_t>(room));
  dvpoll request{polled.data(), room, 0};
  const int count = ::ioctl(device.get(), DP_POLL, &request);
  REQUIRE(count >= 0);
  polled.resize(static_cast<std::size_t>(count));
  return polled;
}
short said(const OwnedFd& device) {
  const auto polled = ask(device);
  return polled.empty() ? short{0} : polled[0].revents;
}

TEST_CASE("/dev/poll: the events of one descriptor are or'ed until it is removed", "[shims]") {
  const OwnedFd set = device();
  const Pair pair = socket_pair();
  const int fd = pair[0].get();
  put(pair[1]);
  CHECK(tell(set, {{fd, POLLIN, 0}}) == 0);
  CHECK(said(set) == POLLIN);
  CHECK(tell(set, {{fd, POLLOUT, 0}}) == 0);
  CHECK(said(set) == (POLLIN | POLLOUT));
  CHECK(tell(set, {{fd, POLLREMOVE, 0}, {fd, POLLOUT, 0}}) == 0);
  CHECK(said(set) == POLLOUT);
  CHECK(tell(set, {{fd, POLLREMOVE, 0}}) == 0);
  CHECK(ask(set).empty());
  CHECK(tell(set, {{fd, POLLREMOVE, 0}}) == 0);
  CHECK(tell(set, {{fd, POLLIN, 0}, {fd, POLLOUT, 0}}) == 0);
  const auto polled = ask(set);
  REQUIRE(polled.size() == 1);
  CHECK(polled[0].fd == fd);
  CHECK(polled[0].events == (POLLIN | POLLOUT));
}

TEST_CASE("/dev/poll: a closed descriptor is POLLNVAL until removed, or until its number is reused",
          "[shims]") {
  const OwnedFd set = device();
  Pair pair = socket_pair();
  const int fd = pair[0].get();
  CHECK(tell(set, {{fd, POLLIN, 0}}) == 0);
  pair[0].reset();
  CHECK(said(set) == POLLNVAL);
  const Pair next = socket_pair();
  REQUIRE((next[0].get() == fd || next[1].get() == fd));
  CHECK(ask(set).empty());
  put(next[0].get() == fd ? next[1] : next[0]);
  CHECK(said(set) == POLLIN);
  CHECK(tell(set, {{fd, POLLREMOVE, 0}}) == 0);
  CHECK(ask(set).empty());
}

TEST_CASE("/dev/poll: a closed descriptor can be removed", "[shims]") {
  const OwnedFd set = device();
  Pair pair = socket_pair();
  const int fd = pair[0].get();
  CHECK(tell(set, {{fd, POLLIN, 0}}) == 0);
  pair[0].reset();
  CHECK(tell(set, {{fd, POLLREMOVE, 0}}) == 0);
  CHECK(ask(set).empty());
}

TEST_CASE("/dev/poll: no write fails for its descriptors", "[shims]") {
  const OwnedFd set = device();
  Pair pair = socket_pair();
  const int fd = pair[0].get();
  pair[0].reset();
  // The entry stays, with its events, but is never reported.
  CHECK(tell(set, {{fd, POLLIN, 0}, {-1, POLLIN, 0}, {1 << 30, POLLIN, 0}}) == 0);
  CHECK(ask(set).empty());
  const Pair next = socket_pair();
  REQUIRE((next[0].get() == fd || next[1].get() == fd));
  put(next[0].get() == fd ? next[1] : next[0]);
  CHECK(ask(set).empty());
  CHECK(tell(set, {{fd, POLLREMOVE, 0}, {fd, POLLOUT, 0}}) == 0);
  CHECK(said(set) == (POLLIN | POLLOUT));
}

TEST_CASE("/dev/poll: a poll cannot ask for more descriptors than a process may open", "[shims]") {
  const testing::DescriptorLimit few(256);
  const OwnedFd set = device();
  std::vector<pollfd> polled(256);
  dvpoll request{polled.data(), 256, 0};
  CHECK(::ioctl(set.get(), DP_POLL, &request) == -1);
  CHECK(errno == EINVAL);
  request.dp_nfds = 255;
  CHECK(::ioctl(set.get(), DP_POLL, &request) == 0);
  CHECK(tell(set, std::vector<pollfd>(257, pollfd{0, POLLREMOVE, 0})) == EINVAL);
  CHECK(tell(set, std::vector<pollfd>(256, pollfd{0, POLLREMOVE, 0})) == 0);
  request.dp_nfds = 0;
  request.dp_timeout = 1;
  CHECK(::ioctl(set.get(), DP_POLL, &request) == 0);
}

TEST_CASE("/dev/poll: a call continues where the last one stopped", "[shims]") {
  const OwnedFd set = device();
  const Pair pair = socket_pair();
  put(pair[1]);
  std::vector<OwnedFd> many;
  for (int i = 0; i < 5; ++i) {
    many.emplace_back(::dup(pair[0].get()));
    CHECK(tell(set, {{many.back().get(), POLLIN, 0}}) == 0);
  }
  std::vector<int> seen;
  for (const int room : {2, 2, 2})
    for (const pollfd& each : ask(set, room)) seen.push_back(each.fd);
  REQUIRE(seen.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) CHECK(seen[i] == many[i % 5].get());
}

TEST_CASE("/dev/poll: a child may not use its parent's set", "[shims]") {
  const OwnedFd set = device();
  CHECK(ask(set).empty());
  const pid_t child = ::fork();
  if (child == 0) {
    dvpoll request{nullptr, 0, 0};
    const bool refused = ::ioctl(set.get(), DP_POLL, &request) == -1 && errno == EACCES;
    ::_exit(refused && tell(set, {{0, POLLIN, 0}}) == EACCES ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("the /dev/poll shim refuses what it does not implement, and passes on calls for other descriptors",
          "[shims][shim]") {
  const OwnedFd set = device();
  CHECK(::ioctl(set.get(), DP_POLL + 1, nullptr) == -1);
  CHECK(errno == EINVAL);
  CHECK(::open("/dev/poll", O_RDONLY) == -1);
  CHECK(OwnedFd(::open("/dev/null", O_RDONLY)));
  const Pair pair = socket_pair();
  CHECK(::write(pair[0].get(), "abc", 3) == 3);
  int bytes = 0;
  CHECK(::ioctl(pair[1].get(), FIONREAD, &bytes) == 0);
  CHECK(bytes == 3);
}

}  // namespace
}  // namespace squall
