#include <fcntl.h>
#include <poll.h>
#include <squall/ioloop/base/owned_fd.h>
#include <sys/event.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <span>
#include <vector>

#include "support/catch.h"

// The rules that sys/event.h lists. A real kqueue passes these tests too, except the cases tagged [shim].
namespace squall {
namespace {

using Pair = std::array<OwnedFd, 2>;
Pair socket_pair() {
  int fds[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
  return {OwnedFd(fds[0]), OwnedFd(fds[1])};
}
Pair make_pipe() {
  int fds[2];
  REQUIRE(::pipe(fds) == 0);
  return {OwnedFd(fds[0]), OwnedFd(fds[1])};
}
void put(const OwnedFd& fd) { REQUIRE(::write(fd.get(), "x", 1) == 1); }

struct kevent change(const OwnedFd& fd, int filter, int flags, std::uintptr_t data = 0) {
  struct kevent event;
  EV_SET(&event, fd.get(), filter, flags, 0, 0, reinterpret_cast<void*>(data));
  return event;
}

// 0, or the errno of the one change.
int apply(const OwnedFd& kq, struct kevent wanted) {
  return ::kevent(kq.get(), &wanted, 1, nullptr, 0, nullptr) == 0 ? 0 : errno;
}
// The present events; does not wait.
std::vector<struct kevent> fetch(const OwnedFd& kq, std::size_t room = 16) {
  const timespec now{};
  std::vector<struct kevent> events(room);
  const int count = ::kevent(kq.get(), nullptr, 0, events.data(), static_cast<int>(room), &now);
  REQUIRE(count >= 0);
  events.resize(static_cast<std::size_t>(count));
  return events;
}

TEST_CASE("kqueue: descriptor and filter identify a kevent, and adding it again changes its udata",
          "[shims]") {
  const OwnedFd kq(::kqueue());
  const Pair pair = socket_pair();
  CHECK(apply(kq, change(pair[0], EVFILT_READ, EV_ADD, 1)) == 0);
  CHECK(apply(kq, change(pair[0], EVFILT_WRITE, EV_ADD, 2)) == 0);
  put(pair[1]);
  CHECK(apply(kq, change(pair[0], EVFILT_READ, EV_ADD, 3)) == 0);
  const auto events = fetch(kq);
  REQUIRE(events.size() == 2);
  for (const auto& event : events) {
    CHECK(event.ident == static_cast<std::uintptr_t>(pair[0].get()));
    CHECK(event.udata == reinterpret_cast<void*>(std::uintptr_t{event.filter == EVFILT_READ ? 3u : 2u}));
    CHECK(event.flags == 0);
    if (event.filter == EVFILT_READ) CHECK(event.data == 1);
  }
  CHECK(apply(kq, change(pair[0], EVFILT_WRITE, EV_DELETE)) == 0);
  CHECK(fetch(kq).size() == 1);
}

TEST_CASE(
    "kqueue: an unregistered filter cannot be changed or deleted, and a closed descriptor cannot be added",
    "[shims]") {
  const OwnedFd kq(::kqueue());
  Pair pair = socket_pair();
  for (const int flags : {EV_DELETE, EV_ENABLE, EV_DISABLE})
    CHECK(apply(kq, change(pair[0], EVFILT_READ, flags)) == ENOENT);
  CHECK(apply(kq, change(pair[0], -100, EV_ADD)) == EINVAL);
  struct kevent gone = change(pair[0], EVFILT_READ, EV_ADD);
  CHECK(apply(kq, gone) == 0);
  pair[0].reset();
  for (const int flags : {EV_ADD, EV_DELETE, EV_ENABLE}) {
    gone.flags = static_cast<unsigned short>(flags);
    CHECK(apply(kq, gone) == EBADF);
  }
  CHECK(apply(OwnedFd(), gone) == EBADF);
  CHECK(apply(pair[1], gone) == EBADF);  // not a kqueue
}

TEST_CASE("kqueue: a disabled filter is not reported until it is enabled", "[shims]") {
  const OwnedFd kq(::kqueue());
  const Pair pair = socket_pair();
  put(pair[1]);
  CHECK(apply(kq, change(pair[0], EVFILT_READ, EV_ADD | EV_DISABLE)) == 0);
  CHECK(fetch(kq).empty());
  CHECK(apply(kq, change(pair[0], EVFILT_READ, EV_ENABLE)) == 0);
  CHECK(fetch(kq).size() == 1);
  CHECK(apply(kq, change(pair[0], EVFILT_READ, EV_DISABLE)) == 0);
  CHECK(fetch(kq).empty());
  CHECK(apply(kq, change(pair[0], EVFILT_READ, EV_ADD)) == 0);
  CHECK(fetch(kq).size() == 1);
}

TEST_CASE("kqueue: with EV_RECEIPT only the results of the changes are returned", "[shims]") {
  const OwnedFd kq(::kqueue());
  const Pair pair = socket_pair();
  const Pair other = socket_pair();
  put(pair[1]);
  std::array changes{change(pair[0], EVFILT_READ, EV_ADD | EV_RECEIPT, 1),
                     change(pair[0], EVFILT_WRITE, EV_DELETE | EV_RECEIPT, 2),
                     change(other[0], EVFILT_WRITE, EV_ADD | EV_RECEIPT, 3)};
  std::array<struct kevent, 8> events;
  // Without a timeout: the call must neither wait nor fetch, although an event is ready.
  REQUIRE(::kevent(kq.get(), changes.data(), 3, events.data(), 8, nullptr) == 3);
  const std::array<int, 3> errors{0, ENOENT, 0};
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(events[i].ident == changes[i].ident);
    CHECK(events[i].filter == changes[i].filter);
    CHECK((events[i].flags & EV_ERROR) != 0);
    CHECK(events[i].data == errors[i]);
  }
  CHECK(fetch(kq).size() == 2);  // the changes after the failure were applied

  SECTION("without EV_RECEIPT only failures are returned") {
    for (auto& each : changes) each.flags = static_cast<unsigned short>(each.flags & ~EV_RECEIPT);
    REQUIRE(::kevent(kq.get(), changes.data(), 3, events.data(), 8, nullptr) == 1);
    CHECK(events[0].filter == EVFILT_WRITE);
    CHECK(events[0].data == ENOENT);
  }
  SECTION("without room the call fails, and later changes are not applied") {
    for (auto& each : changes) each.flags = EV_DELETE;
    CHECK(::kevent(kq.get(), changes.data(), 3, nullptr, 0, nullptr) == -1);
    CHECK(errno == ENOENT);
    const auto left = fetch(kq);
    REQUIRE(left.size() == 1);
    CHECK(left[0].ident == static_cast<std::uintptr_t>(other[0].get()));
  }
  SECTION("without failures the ready events are returned at once") {
    auto again = change(pair[0], EVFILT_READ, EV_ADD);
    CHECK(::kevent(kq.get(), &again, 1, events.data(), 8, nullptr) == 2);
  }
}

TEST_CASE("kqueue: closing a descriptor removes its kevents, also with a duplicate left", "[shims]") {
  const OwnedFd kq(::kqueue());
  Pair pair = socket_pair();
  put(pair[1]);
  const OwnedFd duplicate(::dup(pair[0].get()));
  const int number = pair[0].get();
  CHECK(apply(kq, change(pair[0], EVFILT_READ, EV_ADD)) == 0);
  CHECK(fetch(kq).size() == 1);
  pair[0].reset();
  CHECK(fetch(kq).empty());
  Pair next = socket_pair();
  const OwnedFd& taker = next[0].get() == number ? next[0] : next[1];
  REQUIRE(taker.get() == number);
  put(next[0].get() == number ? next[1] : next[0]);
  CHECK(fetch(kq).empty());
  CHECK(apply(kq, change(taker, EVFILT_READ, EV_DELETE)) == ENOENT);
}

TEST_CASE("kqueue: EV_EOF reports that the other side is gone, by the rules of each filter", "[shims]") {
  const OwnedFd kq(::kqueue());
  Pair pair = socket_pair();
  CHECK(apply(kq, change(pair[0], EVFILT_READ, EV_ADD)) == 0);
  put(pair[1]);
  ::shutdown(pair[1].get(), SHUT_WR);
  auto events = fetch(kq);
  REQUIRE(events.size() == 1);
  CHECK(events[0].flags == EV_EOF);
  CHECK(events[0].data == 1);
  CHECK(apply(kq, change(pair[0], EVFILT_WRITE, EV_ADD)) == 0);
  for (const auto& event : fetch(kq))
    if (event.filter == EVFILT_WRITE) CHECK(event.flags == 0);
  pair[1].reset();
  events = fetch(kq);
  REQUIRE(events.size() == 2);
  for (const auto& event : events) CHECK(event.flags == EV_EOF);
}

TEST_CASE("kqueue: each end of a pipe is watched for its own direction", "[shims]") {
  const OwnedFd kq(::kqueue());
  Pair pipe = make_pipe();
  // Accepted and never reported.
  CHECK(apply(kq, change(pipe[1], EVFILT_READ, EV_ADD)) == 0);
  CHECK(apply(kq, change(pipe[0], EVFILT_WRITE, EV_ADD)) == 0);
  put(pipe[1]);
  CHECK(fetch(kq).empty());
  CHECK(apply(kq, change(pipe[1], EVFILT_WRITE, EV_ADD)) == 0);
  CHECK(fetch(kq).size() == 1);
  pipe[0].reset();
  const auto events = fetch(kq);
  REQUIRE(events.size() == 1);
  CHECK(events[0].filter == EVFILT_WRITE);
  CHECK(events[0].flags == EV_EOF);
  // The filter cannot be added now.
  CHECK(apply(kq, change(pipe[1], EVFILT_WRITE, EV_DELETE)) == 0);
  CHECK(apply(kq, change(pipe[1], EVFILT_WRITE, EV_ADD)) == EPIPE);
  CHECK(fetch(kq).empty());
}

TEST_CASE("kqueue: events that do not fit into the list come first in the next call", "[shims]") {
  const OwnedFd kq(::kqueue());
  const Pair pair = socket_pair();
  put(pair[1]);
  std::vector<OwnedFd> many;
  for (std::uintptr_t i = 0; i < 5; ++i) {
    many.emplace_back(::dup(pair[0].get()));
    CHECK(apply(kq, change(many.back(), EVFILT_READ, EV_ADD, i)) == 0);
  }
  std::vector<bool> seen(5);
  for (int turn = 0; turn < 3; ++turn)
    for (const auto& event : fetch(kq, 2)) seen[reinterpret_cast<std::uintptr_t>(event.udata)] = true;
  CHECK(seen == std::vector<bool>(5, true));
}

TEST_CASE("kqueue: invalid timeouts are refused, and an empty list does not wait", "[shims]") {
  const OwnedFd kq(::kqueue());
  struct kevent event;
  for (const timespec wrong : {timespec{-1, 0}, timespec{0, -1}, timespec{0, 1'000'000'000}}) {
    CHECK(::kevent(kq.get(), nullptr, 0, &event, 1, &wrong) == -1);
    CHECK(errno == EINVAL);
  }
  CHECK(::kevent(kq.get(), nullptr, 0, nullptr, 0, nullptr) == 0);
  const timespec short_while{0, 1000};
  CHECK(::kevent(kq.get(), nullptr, 0, &event, 1, &short_while) == 0);
}

TEST_CASE("kqueue: the queue can be polled", "[shims]") {
  const OwnedFd kq(::kqueue());
  const Pair pair = socket_pair();
  const auto readable = [&] {
    pollfd polled{kq.get(), POLLIN, 0};
    return ::poll(&polled, 1, 0) == 1;
  };
  CHECK(apply(kq, change(pair[0], EVFILT_READ, EV_ADD)) == 0);
  CHECK_FALSE(readable());
  put(pair[1]);
  CHECK(readable());
  CHECK(apply(kq, change(pair[0], EVFILT_READ, EV_DISABLE)) == 0);
  CHECK_FALSE(readable());
  CHECK(apply(kq, change(pair[0], EVFILT_WRITE, EV_ADD)) == 0);
  CHECK(readable());
  CHECK(apply(kq, change(pair[0], EVFILT_WRITE, EV_DELETE)) == 0);
  CHECK_FALSE(readable());
}

TEST_CASE("kqueue: a child does not inherit the queue", "[shims]") {
  const OwnedFd kq(::kqueue());
  const Pair pair = socket_pair();
  const pid_t child = ::fork();
  if (child == 0) ::_exit(apply(kq, change(pair[0], EVFILT_READ, EV_ADD)) == EBADF ? 0 : 1);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(apply(kq, change(pair[0], EVFILT_READ, EV_ADD)) == 0);
}

TEST_CASE("the kqueue shim refuses what it does not implement", "[shims][shim]") {
  const OwnedFd kq(::kqueue());
  const Pair pair = socket_pair();
  for (const int flags : {EV_ONESHOT, EV_CLEAR, EV_DISPATCH})
    CHECK(apply(kq, change(pair[0], EVFILT_READ, EV_ADD | flags)) == EINVAL);
  auto low_water = change(pair[0], EVFILT_READ, EV_ADD);
  low_water.fflags = 1;
  CHECK(apply(kq, low_water) == EINVAL);
  struct kevent event;
  const timespec long_while{100'000'001, 0};
  CHECK(::kevent(kq.get(), nullptr, 0, &event, 1, &long_while) == -1);
  CHECK(errno == EINVAL);
}

}  // namespace
}  // namespace squall
