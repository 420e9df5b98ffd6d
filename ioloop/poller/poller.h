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

// What to wait for on a descriptor, and what happened to it; the values are Tornado's (IOL-30). Errors and
// hang-ups are never asked for and always reported, as the readiness that was asked for: the read or write
// that then fails learns the true errno. Who waits for neither may ask for hangup alone, to hear of them
// where the system tells (not kqueue).
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

// A descriptor that is ready. `generation` is the one its registration was given, so that an event for a
// descriptor closed and opened anew within the same batch can be told from one for its successor.
struct Ready {
  int fd;
  std::uint32_t generation;
  Events events;
};

// Asks the kernel which descriptors are ready, level-triggered. One file a backend.
//
// What they all promise is said here; where the systems differ:
//   - a regular file is always ready to poll and /dev/poll; epoll refuses it with EPERM; to kqueue it is
//     readable before its end.
//   - kqueue forgets a descriptor that is closed, epoll one that is closed with its last duplicate; poll and
//     /dev/poll report it ready until it is removed. Remove first, close then, and nobody will notice.
//   - kqueue may report reading and writing of one descriptor as two entries of one batch (IOL-35).
//
// Thread:    the loop's thread only.
class Poller {
 public:
  virtual ~Poller() = default;
  virtual std::string_view name() const noexcept = 0;
  // A descriptor that is readable while something is ready, for another loop to wait for; -1 if there is
  // none.
  virtual int fd() const noexcept { return -1; }

  // Changes what is waited for on `fd`; `before` is what the last call left. none to something registers,
  // under a new `generation`; something to none forgets. Throws std::system_error, and then nothing has
  // changed: EBADF if `fd` is not open and something is to be waited for.
  virtual void update(int fd, std::uint32_t generation, Events before, Events after) = 0;

  // Waits until a descriptor is ready or `timeout`, which must not be negative, has passed; nullopt waits
  // without end. Returns early, with nothing, on a signal. The result is valid until the next wait(),
  // whatever update() does meanwhile.
  virtual std::span<const Ready> wait(std::optional<std::chrono::nanoseconds> timeout) = 0;
};

// Makes the poller `name`; without a name, the one that the environment variable SQUALL_POLLER names, else
// the best this system has. Throws std::invalid_argument, saying which there are, if there is none of that
// name, and std::system_error if the system refuses it.
//
// Thread:    any.
std::unique_ptr<Poller> make_poller(std::string_view name = {});

// Those there are: the system's, best first, then those registered.
//
// Thread:    any.
std::vector<std::string> poller_names();

using PollerFactory = std::unique_ptr<Poller> (*)();

// Makes a poller of one's own known by name, to be asked for in IOLoop::Options or SQUALL_POLLER; it is
// never picked unasked.
//
//     squall::register_poller("mine", [] { return std::unique_ptr<squall::Poller>(new MyPoller); });
//
// Thread:    any; `make` is called in the thread that makes the loop.
// Lifetime:  for the rest of the process. There is no way back, as loops may be under way.
// Errors:    std::invalid_argument if the name is empty or taken, or `make` null.
void register_poller(std::string_view name, PollerFactory make);

}  // namespace squall
