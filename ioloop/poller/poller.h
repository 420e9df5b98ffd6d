#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace squall {

// The events to wait for on a descriptor, and the events that occurred; the values are Tornado's (IOL-30).
// Errors and hang-ups are always reported, as the readiness that was requested: the read or write that
// follows gets the errno. With only `hangup`, only errors and hang-ups are reported (not by kqueue).
enum class Events : std::uint32_t { none = 0, read = 0x001, write = 0x004, hangup = 0x010 };

constexpr Events operator|(Events a, Events b) noexcept {
  return static_cast<Events>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
constexpr Events operator&(Events a, Events b) noexcept {
  return static_cast<Events>(static_cast<std::uint32_t>(a) & static_cast<std::uint32_t>(b));
}
constexpr Events operator~(Events a) noexcept {
  return static_cast<Events>(~static_cast<std::uint32_t>(a) & 0x015);
}
constexpr bool has(Events set, Events wanted) noexcept { return (set & wanted) != Events::none; }

// A ready descriptor and the generation of its registration: a descriptor that was closed and reused within
// one batch has another generation.
struct Ready {
  int fd;
  std::uint32_t generation;
  Events events;
};

// Asks the kernel which descriptors are ready, level-triggered. One class for each system interface.
//
// The interfaces differ in these points:
//   - a regular file is always ready with poll and /dev/poll; epoll refuses it with EPERM; with kqueue it is
//     readable before its end.
//   - a closed descriptor is removed by kqueue, and by epoll once its last duplicate is closed; poll and
//     /dev/poll report it ready until it is removed. So remove a descriptor before closing it.
//   - kqueue may report reading and writing of one descriptor as two entries of one batch (IOL-35).
//
// Thread:    the loop's thread only.
class Poller {
 public:
  virtual ~Poller() = default;
  virtual std::string_view name() const noexcept = 0;
  // A descriptor that is readable while a registered descriptor is ready, for embedding; -1 if the
  // interface does not have one.
  virtual int fd() const noexcept { return -1; }

  // Changes the events of `fd` from `before` to `after`. If `before` is Events::none it registers `fd` under
  // `generation`; if `after` is Events::none it removes `fd`. Throws std::system_error, and then nothing has
  // changed: EBADF if `fd` is not open and `after` is not Events::none.
  virtual void update(int fd, std::uint32_t generation, Events before, Events after) = 0;

  // Waits until a descriptor is ready or `timeout`, which must not be negative, has passed; nullopt waits
  // without a limit. A signal ends the wait early, with an empty result. The result is valid until the next
  // wait(), also after calls of update().
  virtual std::span<const Ready> wait(std::optional<std::chrono::nanoseconds> timeout) = 0;
};

// Makes the poller `name`. If `name` is empty, makes the poller that the environment variable SQUALL_POLLER
// names, otherwise the best of this system. Throws std::invalid_argument, with a list of all pollers, if
// the name is unknown, and std::system_error if the system refuses it.
//
// Thread:    any.
std::unique_ptr<Poller> make_poller(std::string_view name = {});

// The names of the system's pollers, best first, and then the registered pollers.
//
// Thread:    any.
std::vector<std::string> poller_names();

using PollerFactory = std::unique_ptr<Poller> (*)();

// Registers a poller of the program, which IOLoop::Options or SQUALL_POLLER select by its name; it is never
// the default.
//
//     squall::register_poller("mine", [] { return std::unique_ptr<squall::Poller>(new MyPoller); });
//
// Thread:    any; `make` is called in the thread that makes the loop.
// Lifetime:  until the process ends, because running loops may use it.
// Errors:    std::invalid_argument if the name is empty or taken, or `make` null.
void register_poller(std::string_view name, PollerFactory make);

}  // namespace squall
